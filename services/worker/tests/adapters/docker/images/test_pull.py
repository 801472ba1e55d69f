"""What the engine tells of a pull."""

from workerpool_worker.adapters.docker.images.pull import PullProgress


def step(status: str, layer: str = "a", **detail: int) -> dict[str, object]:
    return {"status": status, "id": layer, "progressDetail": detail}


def test_progress_counts_bytes_and_layers() -> None:
    progress = PullProgress()
    for each in (step("Pulling fs layer"), step("Pulling fs layer", "b"), step("Already exists", "c")):
        progress.add(each)
    before = progress.arrived
    progress.add(step("Downloading", current=5, total=10))
    progress.add(step("Downloading", "b", current=1, total=4))
    assert (before, progress.arrived) == (False, True)
    assert progress.fields() == {
        "downloaded_bytes": 6,
        "announced_bytes": 14,
        "layers_done": 1,
        "layers": 3,
    }
    progress.add(step("Download complete"))
    progress.add(step("Extracting", current=3, total=10))
    progress.add(step("Pull complete"))
    assert progress.fields()["downloaded_bytes"] == progress.downloaded_bytes == 11
    assert progress.fields()["layers_done"] == 2


def test_messages_without_figures_are_harmless() -> None:
    progress = PullProgress()
    progress.add({"status": "Downloading", "id": "a"})
    progress.add({"status": "Downloading", "id": "a", "progressDetail": {"total": "x"}})
    progress.add({})
    assert progress.announced_bytes == 0


def test_an_operator_reads_megabytes_and_layers() -> None:
    progress = PullProgress()
    progress.add(step("Pulling fs layer"))
    progress.add(step("Downloading", current=5 << 20, total=10 << 20))
    progress.add(step("Already exists", "b"))
    assert progress.sentence() == "5 of 10 MiB arrived, 1 of 2 layers done"
