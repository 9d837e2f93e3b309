"""Receiving a scan's file with its entry: from the request to the store, or back out of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from tempfile import NamedTemporaryFile
from typing import IO, Any, cast

from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse

from equipoise.access.permissions import check_permission
from equipoise.access.refusal import Refusal, Refused
from equipoise.imaging.commands import ReceiveScan
from equipoise.ledger.entry import Entry
from equipoise.ledger.protocol import StoreUnavailable
from equipoise.ledger.receipts import Sending, SentBefore
from equipoise.web.clinic import current_clinic
from equipoise.web.errors import UNCERTAIN
from equipoise.web.middleware import too_large
from equipoise.web.protect import acting_as
from equipoise.web.request import ClinicRequest
from equipoise.web.scans import refusals
from equipoise.web.scans.files import INCOMING, Prepared, ScanFiles
from equipoise.web.settings import POST_BYTES_MAX, UPLOAD_BYTES_MAX

FIELD = "file"
"""The field of the form in which a file comes."""


class IncomingScan(TemporaryUploadedFile):
    """A scan's file as it was sent; once it is complete, `outcome` is what may be kept of it, or why not.

    It lies in the folder of scans and not among the temporary files of the machine, which may be memory.
    """

    outcome: Prepared | Refusal

    def __init__(self, files: ScanFiles, name: str | None, content_type: str | None) -> None:
        files.make()
        self._files = files
        file = NamedTemporaryFile(prefix=INCOMING, dir=files.folder)  # noqa: SIM115  # closed with the request
        UploadedFile.__init__(self, file, name, content_type, 0, None)

    def examine(self) -> None:
        """Find out what may be kept of it."""
        try:
            self.outcome = self._files.prepare(cast(IO[bytes], self.file), cast(int, self.size))
        except Refused as refused:
            self.outcome = refused.refusal

    def close(self) -> None:
        """Remove it, and what was prepared of it and not kept."""
        if isinstance(getattr(self, "outcome", None), Prepared):
            cast(Prepared, self.outcome).discard()
        super().close()


class ScanUploadHandler(TemporaryFileUploadHandler):
    """Writes what is uploaded into the folder of scans, and examines it before any page waits for it."""

    file: IncomingScan

    def __init__(self, request: HttpRequest, files: ScanFiles) -> None:
        super().__init__(request)
        self._files = files

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin to receive a file."""
        FileUploadHandler.new_file(self, *args, **kwargs)
        self.file = IncomingScan(self._files, self.file_name, self.content_type)

    def file_complete(self, file_size: int) -> IncomingScan:
        """Examine a file that is there."""
        super().file_complete(file_size)
        self.file.examine()
        return self.file


class ScanUploadMiddleware:
    """Takes more than a page's fields where a scan's file is sent, from those who may send it.

    It stands behind the log-in: what a stranger sends is never written down.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        if request.method != "POST" or request.path not in UPLOAD_BYTES_MAX:
            return self._answer(request)
        clinic = current_clinic()
        actor = acting_as(request, clinic)
        if actor is not None and check_permission(clinic.definition, actor, ReceiveScan.__name__) is None:
            request.upload_handlers = [ScanUploadHandler(request, clinic.scans)]
        elif int(request.META.get("CONTENT_LENGTH") or 0) > POST_BYTES_MAX:
            return too_large(request)
        return self._answer(request)


def receive_scan(
    request: ClinicRequest, command: ReceiveScan, reason: str | None, sending: Sending
) -> tuple[Entry, ...] | Refusal:
    """Record that a scan arrived, and keep its file if one came with it; raises as `Trial.record`."""
    trial, files = request.clinic.trial, request.clinic.scans
    sent = request.FILES.get(FIELD)
    if sent is None:
        return trial.record(request.actor, command, reason, sending)
    prepared = cast(IncomingScan, sent).outcome
    if isinstance(prepared, Refusal):
        return prepared
    if not prepared.codes <= {command.participant}:
        return refusals.of_another()
    with files.kept(prepared):
        try:
            command = replace(command, file_hash=prepared.hash)
            outcome = trial.record(request.actor, command, reason, sending)
        except SentBefore:
            # The file may be the one that came with the first sending.
            if prepared.hash not in request.clinic.scan_hashes():
                files.drop(prepared.hash)
            raise
        except BaseException as failure:
            # What may be recorded after all keeps its file; if it is not, the file is swept out later.
            if not (isinstance(failure, StoreUnavailable) and failure.code == UNCERTAIN):
                files.drop(prepared.hash)
            raise
        if isinstance(outcome, Refusal):
            files.drop(prepared.hash)
        return outcome
