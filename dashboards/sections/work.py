"""Code, shell and patches: what agents run and change, how it ends, and whether they mend it."""

from dashboards import charts
from dashboards.figures import Column, Data, Figure, Section, parts

WORK = Data(
    "work",
    """select called_at::date as day, 'shell command' as kind, count(*) as run_count,
    count(*) filter (outcome = 'ok') as ok_count, count(*) filter (is_failed) as failed_count,
    count(*) filter (is_decided) as decided_count,
    count(*) filter (is_decided and outcome_method = 'explicit') as explicit_count,
    count(*) filter (is_recovered) as mended_count
from analytics.shell_commands
group by all
union all
select called_at::date as day, 'patch' as kind, count(*) as run_count,
    count(*) filter (outcome = 'ok') as ok_count, count(*) filter (is_failed) as failed_count,
    count(*) filter (is_decided) as decided_count,
    count(*) filter (is_decided and outcome_method = 'explicit') as explicit_count,
    count(*) filter (is_recovered) as mended_count
from analytics.patch_operations
group by all
union all
select called_at::date as day, 'code interpreter' as kind, count(*) as run_count,
    count(*) filter (outcome = 'ok') as ok_count, count(*) filter (is_failed) as failed_count,
    count(*) filter (outcome in ('ok', 'error')) as decided_count,
    count(*) filter (outcome in ('ok', 'error') and outcome_method = 'explicit') as explicit_count,
    count(*) filter (is_mended) as mended_count
from analytics.code_interpreter_runs
group by all""",
    keys=("day", "kind"),
)
PROGRAMS = Data(
    "programs",
    """with known as (
    select program from analytics.shell_commands
    where regexp_full_match(program, '[A-Za-z0-9._+-]{1,24}')
    group by program having count(distinct conversation_id) > 1
    order by count(*) desc, program limit 60
)
select called_at::date as day, coalesce(known.program, '(other)') as program, count(*) as command_count,
    count(*) filter (outcome = 'ok') as ok_count, count(*) filter (outcome = 'error') as error_count,
    count(*) filter (outcome = 'timeout') as timeout_count, count(*) filter (outcome = 'denied') as denied_count,
    count(*) filter (outcome = 'pending') as pending_count, count(*) filter (outcome is null) as unknown_count,
    count(*) filter (is_failed) as failed_count, count(*) filter (is_decided) as decided_count,
    count(*) filter (is_truncated) as cut_count, count(*) filter (is_recovered) as mended_count,
    count(*) filter (program_method = 'explicit') as explicit_count
from analytics.shell_commands left join known using (program)
group by all""",
    keys=("day", "program"),
)
LINES = Data(
    "lines",
    """select called_at::date as day, count(*) as operation_count,
    coalesce(sum(added_line_count) filter (outcome = 'ok'), 0)::bigint as added_count,
    coalesce(sum(removed_line_count) filter (outcome = 'ok'), 0)::bigint as removed_count,
    count(churn) filter (outcome = 'ok') as counted_count, count(*) filter (outcome = 'ok') as ok_count
from analytics.patch_operations
group by all""",
    keys=("day",),
)
SUFFIXES = Data(
    "suffixes",
    """with operations as (
    select *, lower(regexp_extract(path, '[^/.][.]([A-Za-z0-9]{1,8})$', 1)) as word from analytics.patch_operations
),
known as (
    select word from operations where word <> '' group by word having count(distinct conversation_id) > 1
    order by count(*) desc, word limit 40
)
select called_at::date as day, coalesce('.' || known.word, '(other)') as suffix, count(*) as operation_count,
    count(*) filter (is_failed) as failed_count, count(*) filter (is_decided) as decided_count,
    count(*) filter (outcome = 'ok') as ok_count, count(*) filter (is_reworked) as reworked_count,
    count(*) filter (is_recovered) as mended_count
from operations left join known using (word)
group by all""",
    keys=("day", "suffix"),
)
PATHS = Data(
    "patched",
    """select coalesce(path, '(none)') as path, operation_count, failed_count, decided_count, ok_count, reworked_count,
    churn
from analytics.patch_paths
order by churn desc nulls last, path
limit 100""",
    keys=("path",),
    is_example=True,
)
IMPORTS = Data(
    "imports",
    """with imported as (
    select called_at::date as day, conversation_id, is_failed, unnest(imports) as word
    from analytics.code_interpreter_runs
),
known as (
    select word from imported where regexp_full_match(word, '[A-Za-z_][A-Za-z0-9_]{0,31}')
    group by word having count(distinct conversation_id) > 1 order by count(*) desc, word limit 40
)
select day, coalesce(known.word, '(other)') as library, count(*) filter (not is_failed) as fine_count,
    count(*) filter (is_failed) as failed_count, count(*) as run_count
from imported left join known using (word)
group by all""",
    keys=("day", "library"),
)
EXCEPTIONS = Data(
    "exceptions",
    """select called_at::date as day,
    case when error_class is null then '(not told)'
        when regexp_full_match(error_class, '[A-Za-z_.]{1,48}(Error|Exception|Warning|Interrupt|Exit)')
        then error_class else '(other)' end as error,
    count(*) as run_count, count(*) filter (is_mended) as mended_count,
    count(*) filter (not is_mended) as broken_count, count(*) filter (is_output_asked) as asked_count
from analytics.code_interpreter_runs
where is_failed
group by all""",
    keys=("day", "error"),
)
_LINES = {"added_count": ("added", "good"), "removed_count": ("removed", "bad")}
_MENDED = {"mended_count": ("mended in the turn", "late"), "broken_count": ("not mended", "bad")}
_LIBRARIES = {"fine_count": ("run did not fail", "main"), "failed_count": ("run failed", "bad")}
_NO_WORK = "Neither code, shell nor patches were used."
_WORD = "Words that occur in one conversation only are taken together as (other)."

SECTION = Section(
    "work",
    "Code, shell and patches",
    "What agents run and change, how often it fails, and whether they mend it before the turn ends.",
    (
        Figure(
            "work",
            "How work ends",
            "What fails most, and how much of it is mended?",
            WORK,
            (
                Column("kind", "Kind", "text"),
                Column("run_count", "Runs", "bar"),
                Column("run_count", "Over time", "line"),
                Column("decided_count", "Decided"),
                Column("failed", "Failed (95 % bounds)", "share"),
                Column("failed", "Over time", "line"),
                Column("mended", "Of these, mended in the turn", "share"),
                Column("told", "Decided by the API", "share"),
            ),
            "{failed_count} of {decided_count} decided failed; {mended_count/failed_count} of them went well later in "
            "the turn. {explicit_count/decided_count} are decided by fields of the API, the others by words.",
            _NO_WORK,
            rates={
                "failed": ("failed_count", "decided_count"),
                "mended": ("mended_count", "failed_count"),
                "told": ("explicit_count", "decided_count"),
            },
            order="-run_count",
            is_wide=True,
        ),
        Figure(
            "programs",
            "Programs in the shell",
            "What do agents run, and how does it end?",
            PROGRAMS,
            (Column("program", "Program", "text"), Column("command_count", "Commands"), *parts(charts.OUTCOMES)),
            "{command_count} commands; the program is read from the command line, but for {explicit_count} that give "
            "it as a list. " + _WORD,
            "No shell was used.",
            charts.by_key("program", charts.OUTCOMES, "commands"),
            order="-command_count",
            limit=15,
        ),
        Figure(
            "program-errors",
            "Commands that fail",
            "Which programs fail, are cut short, or work the second time?",
            PROGRAMS,
            (
                Column("program", "Program", "text"),
                Column("decided_count", "Decided", "bar"),
                Column("failed", "Failed (95 % bounds)", "share"),
                Column("mended_count", "Then ok"),
                Column("cut_count", "Output cut"),
            ),
            "{failed_count} of {decided_count} decided commands failed: a timeout, or an exit code other than 0, "
            "whatever the program means by it. " + _WORD,
            "No shell was used.",
            rates={"failed": ("failed_count", "decided_count")},
            order="-failed_low",
            limit=15,
            least=("decided_count", 10),
        ),
        Figure(
            "lines",
            "Lines changed by patches",
            "How much do agents change?",
            LINES,
            (
                Column("period", "When", "text"),
                Column("operation_count", "Operations"),
                Column("ok_count", "Applied"),
                *parts(_LINES),
            ),
            "{added_count} lines added and {removed_count} removed by {counted_count} of {ok_count} applied "
            "operations, those that came with a diff.",
            "No patch was applied.",
            charts.over_time(_LINES, "lines"),
        ),
        Figure(
            "suffixes",
            "Files that are patched",
            "Where do patches fail, or need to be made again?",
            SUFFIXES,
            (
                Column("suffix", "Kind of file", "text"),
                Column("operation_count", "Operations", "bar"),
                Column("failed", "Failed (95 % bounds)", "share"),
                Column("mended_count", "Then applied"),
                Column("reworked", "Applied, and patched again", "share"),
            ),
            "{failed_count} of {decided_count} decided operations failed; {reworked_count} of {ok_count} applied ones "
            "were followed by another on the file in the turn. " + _WORD,
            "No file was patched.",
            rates={"failed": ("failed_count", "decided_count"), "reworked": ("reworked_count", "ok_count")},
            order="-operation_count",
            limit=15,
        ),
        Figure(
            "libraries",
            "Libraries of the code interpreter",
            "What does its code stand on?",
            IMPORTS,
            (Column("library", "Library", "text"), Column("run_count", "Runs"), *parts(_LIBRARIES)),
            "{run_count} imports, each module once for each run, as read from the code's lines. " + _WORD,
            "No code was run, or it imports nothing.",
            charts.by_key("library", _LIBRARIES, "runs"),
            order="-run_count",
            limit=15,
        ),
        Figure(
            "exceptions",
            "Errors of the code interpreter",
            "How does its code fail, and is it mended?",
            EXCEPTIONS,
            (Column("error", "Error", "text"), Column("run_count", "Runs"), *parts(_MENDED)),
            "{run_count} runs that failed; the class is read from the logs, which {asked_count} of them were asked "
            "for.",
            "No run of code has failed.",
            charts.by_key("error", _MENDED, "runs"),
            order="-run_count",
            limit=15,
        ),
        Figure(
            "patched",
            "Files that are patched most",
            "By their paths.",
            PATHS,
            (
                Column("path", "File", "text"),
                Column("operation_count", "Operations", "bar"),
                Column("failed", "Failed (95 % bounds)", "share"),
                Column("reworked", "Applied, and patched again", "share"),
                Column("churn", "Lines changed"),
            ),
            "{failed_count} of {decided_count} decided operations failed. The 100 files with most lines changed are "
            "kept.",
            "No file was patched.",
            rates={"failed": ("failed_count", "decided_count"), "reworked": ("reworked_count", "ok_count")},
            order="-churn",
            limit=30,
            is_wide=True,
        ),
    ),
)
