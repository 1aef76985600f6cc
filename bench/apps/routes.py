"""Plain FastAPI routes of the throughput cases."""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Item(BaseModel):
    """What is posted."""

    name: str
    price: float
    tags: list[str] = []


class StoredItem(Item):
    """What comes back."""

    id: int


@app.get("/async")
async def async_dict() -> dict[str, str]:
    return {"hello": "world"}


@app.get("/sync")
def sync_dict() -> dict[str, str]:
    return {"hello": "world"}


@app.get("/items/{item_id:int}")
async def parameters(
    item_id: int, q: str | None = None, limit: int = 10
) -> dict[str, int | str | None]:
    return {"item_id": item_id, "q": q, "limit": limit}


@app.post("/items", response_model=StoredItem)
async def create(item: Item) -> dict[str, object]:
    return {"id": 1, **item.model_dump()}
