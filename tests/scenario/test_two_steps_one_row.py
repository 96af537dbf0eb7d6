"""A row that needs two changes at once: it is one row of ours all the same."""

from imsys.fleet.models import Placement
from tests.world import World

QUEUE = "/queue/simple"


def test_an_older_queue_is_taken_over_and_put_above_the_broad_one(world: World) -> None:
    router = world.add_router()
    world.call(lambda: router.table(QUEUE).add(name="everything", target="10.0.0.0/8"))
    old = {"name": "IMSys-4", "target": "10.9.0.4/32", "comment": "IMSys: 2019"}
    row_id = world.call(lambda: router.table(QUEUE).add(**old))
    world.start_worker()
    world.add_subscribers(["ann"], service="static", address="10.9.0.4")
    world.until_synced()
    assert next((row[".id"], row["name"]) for row in world.rows(menu=QUEUE)) == (row_id, "ann")
    assert Placement.objects.filter(menu=QUEUE).values_list("key", flat=True).get() == "ann"
