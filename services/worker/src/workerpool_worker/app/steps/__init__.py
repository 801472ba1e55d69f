"""The steps of a replicate, one module per step, and the table of all steps."""

from collections.abc import Mapping

from workerpool_worker.app.replicate import Step
from workerpool_worker.app.steps.compute import compute
from workerpool_worker.app.steps.contribute import contribute
from workerpool_worker.app.steps.download import download_app, download_data
from workerpool_worker.app.steps.reveal import reveal
from workerpool_worker.app.steps.start import start
from workerpool_worker.app.steps.upload import upload
from workerpool_worker.domain.stages import Stage

STEPS: Mapping[Stage, Step] = {
    Stage.START: start,
    Stage.DOWNLOAD_APP: download_app,
    Stage.DOWNLOAD_DATA: download_data,
    Stage.COMPUTE: compute,
    Stage.CONTRIBUTE: contribute,
    Stage.REVEAL: reveal,
    Stage.UPLOAD: upload,
}
"""The step of each stage that does not wait for a command."""
