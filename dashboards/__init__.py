"""The report: what a team looks at on Monday morning, in one file that opens by itself.

Here: which questions it answers (`sections/`), the words they are asked in (`figures`), the forms that answers take
(`charts`), how it is read and written (`report`), the page it is put into (`page/`). Not here: any definition of a
figure; those are the views of `analytics`, the only thing that is read, from the serving snapshot.
"""

from pathlib import Path


def write_report(serving: Path, output: Path, *, with_examples: bool = False) -> None:
    """Write the report on a serving snapshot: one HTML file, complete in itself, readable by its owner only.

    It is put in place in one step. Of what people and models wrote it holds nothing, unless `with_examples` asks for
    a few words of failures and searches. WarehouseError if there is no snapshot, or the file cannot be written.
    """
    from dashboards.report import write  # Altair takes a second to load; who does not write a report does not wait

    write(serving, output, with_examples=with_examples)
