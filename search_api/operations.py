"""How the collection is kept up to date: feeds, episodes that wait or failed, the index, the disk."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
