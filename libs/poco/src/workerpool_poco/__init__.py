"""The PoCo protocol in Python.

Pure modules (no I/O, no clock): ``ids``, ``signatures``, ``results``, ``result_link``,
``authorization``, ``typed_data``, ``orders``, ``statuses``, ``causes``, ``consensus``,
``deadlines``, ``tags``, ``deal_params``, ``events``, ``model``, ``wallet``, ``abi``.
The chain itself: ``rpc``, ``hub``, ``heads``, ``transactions``.
"""
