"""Photographs of parcels: an upload which is never held in memory as a whole."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, File, Request, UploadFile
from pydantic import BaseModel

router = APIRouter(prefix="/photos", tags=["photos"])
PART_BYTES = 256 * 1024


class Receipt(BaseModel):
    """What arrived."""

    name: str | None
    bytes: int
    sha256: str


@router.put("")
async def put_photo(request: Request) -> Receipt:
    """Take the body as it is, part by part as it arrives."""
    size, sha256 = 0, hashlib.sha256()
    async for part in request.stream():
        size += len(part)
        sha256.update(part)
    return Receipt(name=None, bytes=size, sha256=sha256.hexdigest())


@router.post("")
def post_photo(photo: Annotated[UploadFile, File()]) -> Receipt:
    """Take a file from a form; large ones are on disk by the time this runs."""
    size, sha256 = 0, hashlib.sha256()
    while part := photo.file.read(PART_BYTES):
        size += len(part)
        sha256.update(part)
    return Receipt(name=photo.filename, bytes=size, sha256=sha256.hexdigest())
