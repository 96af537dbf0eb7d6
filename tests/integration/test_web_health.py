"""What machines ask: does the web live, is the whole ready."""

import uuid

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from imsys.fleet.models import Worker


def test_the_process_lives_without_a_database(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"web": "ok"})


@pytest.mark.django_db
def test_not_ready_without_a_worker(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    answer = response.json()
    assert (answer["ready"], answer["web"], answer["database"]) == (False, "ok", "ok")
    assert answer["worker"] == "none was seen in the last 5 s: start `imsys worker`"


@pytest.mark.django_db
def test_ready_with_a_worker(client: Client) -> None:
    Worker.objects.create(id=uuid.uuid4(), name="w", seen_at=timezone.now())
    response = client.get("/readyz")
    assert (response.status_code, response.json()["ready"]) == (200, True)


@pytest.mark.django_db
def test_not_ready_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nowhere")
    try:
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["database"] == "does not answer"
        assert client.get("/healthz").status_code == 200
    finally:
        monkeypatch.undo()
