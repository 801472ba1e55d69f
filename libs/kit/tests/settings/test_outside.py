"""The documented proxy variables, as the HTTP libraries of a process find them."""

from workerpool_kit.settings.outside import OutsideSettings, name_proxies


def test_the_documented_variables_replace_those_of_the_environment() -> None:
    environ = {"https_proxy": "http://other:1"}
    settings = OutsideSettings(
        http_proxy_host="proxy.example",
        http_proxy_port=3128,
        https_proxy_host="fd00::1",
        https_proxy_port=3129,
    )
    name_proxies(settings, environ)
    assert environ == {
        "http_proxy": "http://proxy.example:3128",
        "https_proxy": "http://[fd00::1]:3129",
    }


def test_unset_variables_change_nothing() -> None:
    environ = {"http_proxy": "http://other:1"}
    name_proxies(OutsideSettings(), environ)
    name_proxies(object(), environ)
    assert environ == {"http_proxy": "http://other:1"}
