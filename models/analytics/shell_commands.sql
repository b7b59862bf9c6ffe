-- Grain: one row per command that was to be run in a shell: each command of a shell_call, and each local_shell_call.
-- Question: which programs do agents run, how do they end, is their output cut, and does running them again help?
--
-- **Rows.** The live shell_call items, one row for each element of action_commands (none for a call without), and the
-- live local_shell_call items, one row each; command_index counts from 0, command_count is how many the call has.
-- Functions that run commands are not among them: nothing tells that they do. What is said of the call as a whole
-- (turn_index, execution, called_at, latency_ms, retry_of) is the same in all rows of a call, and told by
-- `analytics.tool_calls`; a latency must not be added up over the commands of a call, which may run at once.
--
-- **command** is the element of action_commands; for local_shell action_command joined by a space, otherwise as the
-- arguments in `analytics.tool_calls`. command_chars counts its code points.
--
-- **program** is what the macro `command_program` reads from it: the name, without its directory, of the first program,
-- after what only makes it ready: comments, `cd`, `export`, `set` and the like up to `&&`, `;` or the end of the line,
-- assignments, `sudo`, `env`, `time`, `nice`, `nohup`, `timeout`, `exec`, and `sh -c` or `bash -lc` with its quote.
-- NULL where a word of the shell's own (`for`, `if`, ...) or no plain word stands there. What follows a pipe or `&&` is
-- not told. program_method: explicit for local_shell if program is the first element of action_command, without its
-- directory; else heuristic; none where program is NULL.
--
-- **Its results** are elements of `items.shell_call_output__output` of the call's output (see `analytics.tool_calls`).
-- The API calls them chunks, and does not say which command each is of. All of them belong to the only command of a
-- call (output_method as in `analytics.tool_calls`); of several commands, the n-th element belongs to the n-th
-- (heuristic), further ones to none. output_method is none for a command without one. result_count counts all elements
-- of the output, whoever they belong to: more or fewer than command_count means that the places may mislead. For
-- local_shell the result is the output's text, output_method that of the call.
--
-- **outcome** of a shell's command: one of its results has outcome_type timeout: timeout; else one has another
-- outcome_exit_code than 0: error; else one has 0: ok; all with output_method as their method. Where no element of the
-- output, of whichever command, tells any of these, outcome and outcome_method are those of the call; else NULL, none.
-- Of a local_shell's command they are those of the call. So a command that ends with another code than 0 counts as an
-- error whatever it means by it (`grep` that finds nothing). is_failed and is_decided follow from outcome as there.
-- exit_code is the first code that is not 0 of its results by output_index, else 0 if there is one, NULL if outcome is
-- timeout; its method that of the output. For local_shell the macro `output_exit_code` reads it from the output's text
-- (exit_code, or metadata.exit_code, of a JSON object): heuristic.
--
-- error_message, if is_failed: the stderr of its results joined by a newline, for local_shell error_message of the
-- call; at most its first 200 code points, NULL where that is empty.
--
-- **is_truncated**: whether what the model read of the output is cut. max_output_length is that of the output, or if
-- NULL of the call's action. True, explicit, if max_output_length is more than 0 and output_chars is not less (clients
-- may send all, and the API cuts). Else true, heuristic, if the macro `output_truncated` finds in stdout, stderr or
-- the local_shell's output that somebody says so (`... 1200 chars truncated ...`, `[output truncated]`); else false,
-- heuristic. NULL, none, where output_chars is NULL.
--
-- **Run again.** retry_of is the call's, by `analytics.tool_calls`: a later call in the turn with the same commands
-- after a failed one, whatever was mended in between; a command that is written otherwise the second time is none.
-- retried_by is the call whose retry_of is this one. is_recovered: the command is_failed, and in retried_by, or in what
-- that was retried by, and so on, the outcome of the command of the same command_index is ok.
--
-- **How sure.** Neither shell occurs in the recordings of the real API that we know. `command_program` reads 60 command
-- lines of agents that public repositories hold as a person does (58 programs, 2 without); `output_truncated` takes
-- none of the 152 different outputs of tools in those recordings for cut, and reading finds none that is.
-- `output_exit_code` reads what some clients write, and was tried on nothing real.
--
-- Columns
-- conversation_id VARCHAR: The conversation.
-- item_id VARCHAR: The call; shared by its commands.
-- command_index BIGINT: Place of the command in its call, from 0.
-- command_count BIGINT: Commands of the call.
-- position BIGINT: Ordinal of the call in its conversation; gaps mean nothing, order does.
-- turn_index BIGINT: The turn: user messages up to the call; 0 before the first.
-- family VARCHAR: Family of the tool: shell, local_shell.
-- execution VARCHAR: Who runs it: hosted (the API, in a container) or client; NULL where nothing tells.
-- called_at TIMESTAMP: When the call was begun, UTC; NULL if no usable time is there.
-- command VARCHAR: The command; for local_shell its words, joined by a space.
-- command_chars BIGINT: Characters of command; NULL if there is none.
-- program VARCHAR: The program that it runs first, without its directory; NULL where that cannot be told.
-- program_method VARCHAR: How program was obtained: explicit (a list begins with it), heuristic (read from a command
--   line), none.
-- timeout_ms BIGINT: Milliseconds that the call may take, as the model asked; NULL if it did not.
-- max_output_length BIGINT: Characters of output that are kept; NULL if nothing says so.
-- output_item_id VARCHAR: The call's output; NULL if there is none.
-- output_method VARCHAR: How the command's results were found: explicit, heuristic (by place, or by adjacency), none.
-- result_count BIGINT: Results in the call's output, of all its commands; NULL for local_shell, and if there is none.
-- exit_code BIGINT: Code that it ended with; NULL if it timed out, or nothing tells.
-- exit_code_method VARCHAR: How exit_code was obtained: explicit, heuristic (by place, or read from a text), none.
-- outcome VARCHAR: How it ended: ok, error, timeout, denied, pending; NULL where nothing tells.
-- outcome_method VARCHAR: How outcome was obtained: explicit, heuristic, none.
-- is_failed BOOLEAN: Whether outcome is error or timeout; false where it is NULL.
-- is_decided BOOLEAN: Whether outcome is ok, error or timeout: the denominator of error rates.
-- error_message VARCHAR: What a failed command wrote to stderr, 200 characters at most; NULL if nothing.
-- stdout_chars BIGINT: Characters of stdout; NULL for local_shell, and without results.
-- stderr_chars BIGINT: Characters of stderr; NULL for local_shell, and without results.
-- output_chars BIGINT: Characters of all output; NULL without results.
-- is_truncated BOOLEAN: Whether the output that the model read is cut; NULL without results.
-- truncated_method VARCHAR: How is_truncated was obtained: explicit (the limit is reached), heuristic (words, or
--   none), none.
-- retry_of VARCHAR: The failed call, by item_id, that the call repeats in the same turn; NULL if it repeats none.
-- retried_by VARCHAR: The call, by item_id, that repeats this one in the same turn; NULL if none does.
-- is_recovered BOOLEAN: Whether the command failed, and ended well when it was run again.
-- latency_ms DOUBLE: Milliseconds from the call's begin to its output's, all commands together; NULL if unknown.
-- latency_method VARCHAR: How latency_ms was obtained: explicit, heuristic, none.
with
calls as (
    select
        *,
        count(*) filter (where retry_of is null)
            over (partition by conversation_id, turn_index, family, arguments_hash order by position) as chain_index,
        lead(case when retry_of is not null then item_id end)
            over (partition by conversation_id, turn_index, family, arguments_hash order by position) as retried_by
    from analytics.tool_calls
    where family in ('shell', 'local_shell')
),
commands as (
    select
        conversation_id,
        item_id,
        generate_subscripts(action_commands, 1) - 1 as command_index,
        len(action_commands) as command_count,
        unnest(action_commands) as command,
        null as first_word,
        action_timeout_ms as timeout_ms,
        action_max_output_length as max_output_length
    from items.shell_call
    union all
    select
        conversation_id,
        item_id,
        0 as command_index,
        1 as command_count,
        array_to_string(action_command, ' ') as command,
        action_command[1] as first_word,
        action_timeout_ms as timeout_ms,
        null as max_output_length
    from items.local_shell_call
),

-- What came back: for each element of an output the place of the command it is of, if there are several.
results as (
    select
        *,
        output_index as command_index,
        case
            when outcome_type = 'timeout' then 'timeout'
            when outcome_exit_code <> 0 then 'error'
            when outcome_exit_code = 0 then 'ok'
        end as outcome
    from items.shell_call_output__output
),
outputs as (
    select conversation_id, item_id, count(*) as result_count, bool_or(outcome is not null) as is_outcome_told
    from results
    group by all
),
matched as (
    select
        c.*,
        m.command_index,
        m.command_count,
        m.command,
        m.first_word,
        m.timeout_ms,
        coalesce(s.max_output_length, m.max_output_length) as kept_length,
        command_program(m.command) as program,
        o.result_count,
        coalesce(o.is_outcome_told, false) as is_outcome_told
    from calls as c
    inner join commands as m using (conversation_id, item_id)
    left join items.shell_call_output as s on c.conversation_id = s.conversation_id and c.output_item_id = s.item_id
    left join outputs as o on c.conversation_id = o.conversation_id and c.output_item_id = o.item_id
),
own_results as (
    select
        m.conversation_id,
        m.item_id,
        m.command_index,
        count(*) as own_count,
        case
            when bool_or(r.outcome = 'timeout') then 'timeout'
            when bool_or(r.outcome = 'error') then 'error'
            when bool_or(r.outcome = 'ok') then 'ok'
        end as own_outcome,
        coalesce(
            arg_min(r.outcome_exit_code, r.output_index) filter (where r.outcome_exit_code <> 0),
            min(r.outcome_exit_code)
        ) as own_exit_code,
        string_agg(r.stderr, chr(10) order by r.output_index) as own_words,
        sum(coalesce(length(r.stdout), 0)) as stdout_chars,
        sum(coalesce(length(r.stderr), 0)) as stderr_chars,
        coalesce(bool_or(output_truncated(r.stdout) or output_truncated(r.stderr)), false) as is_said_truncated
    from matched as m
    inner join results as r
        on m.conversation_id = r.conversation_id
        and m.output_item_id = r.item_id
        and (m.command_count = 1 or m.command_index = r.command_index)
    group by all
),
told as (
    select
        m.* exclude (outcome, outcome_method, is_failed, is_decided, output_method, output_chars),
        w.own_exit_code,
        w.stdout_chars::bigint as stdout_chars,
        w.stderr_chars::bigint as stderr_chars,
        coalesce(length(l.output), w.stdout_chars + w.stderr_chars)::bigint as output_chars,
        l.output as local_output,
        coalesce(output_truncated(l.output), w.is_said_truncated) as is_said_truncated,
        case when m.family = 'local_shell' then m.error_message else nullif(left(w.own_words, 200), '') end as words,
        case
            when m.family = 'local_shell' or m.command_count = 1 and w.own_count > 0 then m.output_method
            when w.own_count > 0 then 'heuristic'
            else 'none'
        end as output_method,
        case
            when w.own_outcome is not null then w.own_outcome
            when not m.is_outcome_told then m.outcome
        end as outcome,
        case when w.own_outcome is null then m.outcome_method end as outcome_method_of_call
    from matched as m
    left join own_results as w using (conversation_id, item_id, command_index)
    left join items.local_shell_call_output as l
        on m.conversation_id = l.conversation_id and m.output_item_id = l.item_id
),
judged as (
    select
        *,
        coalesce(outcome in ('error', 'timeout'), false) as is_failed,
        case
            when family = 'local_shell' then output_exit_code(local_output)
            when outcome is distinct from 'timeout' then own_exit_code
        end as exit_code,
        coalesce(kept_length > 0 and output_chars >= kept_length, false) as is_limit_reached
    from told
)
select
    conversation_id,
    item_id,
    command_index,
    command_count,
    position,
    turn_index,
    family,
    execution,
    called_at,
    command,
    length(command) as command_chars,
    program,
    case
        when program is null then 'none'
        when program = regexp_replace(first_word, '^.*/', '') then 'explicit'
        else 'heuristic'
    end as program_method,
    timeout_ms,
    kept_length as max_output_length,
    output_item_id,
    output_method,
    result_count,
    exit_code,
    case
        when exit_code is null then 'none'
        when family = 'local_shell' then 'heuristic'
        else output_method
    end as exit_code_method,
    outcome,
    case when outcome is null then 'none' else coalesce(outcome_method_of_call, output_method) end as outcome_method,
    is_failed,
    coalesce(outcome in ('ok', 'error', 'timeout'), false) as is_decided,
    case when is_failed then words end as error_message,
    stdout_chars,
    stderr_chars,
    output_chars,
    case when output_chars is not null then is_limit_reached or is_said_truncated end as is_truncated,
    case
        when output_chars is null then 'none'
        when is_limit_reached then 'explicit'
        else 'heuristic'
    end as truncated_method,
    retry_of,
    retried_by,
    is_failed and coalesce(bool_or(outcome = 'ok') over later_in_chain, false) as is_recovered,
    latency_ms,
    latency_method
from judged
window
    later_in_chain as (
        partition by conversation_id, turn_index, family, arguments_hash, chain_index, command_index order by position
        rows between 1 following and unbounded following
    )
