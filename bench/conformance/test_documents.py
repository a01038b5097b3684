"""Requirements shown by documents, photographs and declarations: read by a person, kept as evidence."""

from __future__ import annotations

from bench.documents import Documents
from bench.procedures import requirement
from bench.session import Judge
from reports.record import PlanItem
from standards.catalogue import load


@requirement(
    *(key for key, quantity in load().quantities.items() if quantity.by.by_person), reads_documents=True
)
def test_document(plan_item: PlanItem, documents: Documents, judge: Judge) -> None:
    """What the paper handed in shows of this clause (Order 230, Art. 7 to 20; GB 50348-2018, 10.1)."""
    estimate, evidence = documents.look(plan_item.clause.measurand.quantity)
    judge.typed(estimate, evidence)
