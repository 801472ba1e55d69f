"""The PoCo protocol in Python.

Pure modules (no I/O, no clock): ``ids``, ``signatures``, ``results``, ``result_link``,
``authorization``, ``typed_data``, ``orders``, ``statuses``, ``causes``, ``consensus``,
``deadlines``, ``tags``, ``deal_params``, ``events``, ``model``, ``wallet``, ``abi``, ``views``.
The chain itself: ``rpc``, ``history``, ``hub``, ``heads``, ``transactions``.
"""
