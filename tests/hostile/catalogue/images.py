"""Image names of every sort."""

from hostile.catalogue.entry import Entry, error_result

_NAMES = {
    "empty": "",
    "blank": "   ",
    "upper-case": "Example/App:1",
    "no-tag": "{untagged}",
    "url": "http://127.0.0.1/app:1",
    "space": "exa mple/app:1",
    "shell": "app:1;touch /tmp/x",
    "option": "--privileged",
    "upwards": "../../etc/passwd:1",
    "slashes": "a//b:1",
    "long": "a" * 3000 + ":1",
    "nul": "app\0:1",
    "newline": "app:1\nb:2",
    "unicode": "äpp/ï:1",
    "bad-digest": "app@sha256:1234",
    "port-odd": "127.0.0.1:99999/app:1",
}
_INVALID = error_result("APP_IMAGE_NAME_INVALID", "APP_IMAGE_DOWNLOAD_FAILED")

ENTRIES = (
    *(Entry(name=f"image-name-{name}", image=image, right=_INVALID) for name, image in _NAMES.items()),
    Entry(
        name="image-not-there",
        image="127.0.0.1:{closed}/no/such/image:1",
        right=error_result("APP_IMAGE_DOWNLOAD_FAILED"),
        weight=2,
    ),
    Entry(
        name="callback-failure",
        callback=True,
        image="127.0.0.1:{closed}/no/such/image:1",
        right=error_result("APP_IMAGE_DOWNLOAD_FAILED"),
        weight=2,
    ),
)
