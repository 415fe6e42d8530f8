%% What Benchmarks/duel measures of Erlang: `erl -noshell -pa DIR -run duel main ROW COUNT` runs one row of its table
%% with COUNT operations, after a tenth of them to warm up, and prints its figures as one line of JSON. Every row
%% checks its own result.
%%
%% Plain processes, `spawn`, `!` and `receive`.
-module(duel).
-export([main/1]).

main([Row, Count]) ->
    try row(Row, list_to_integer(Count))
    catch throw:{wrong, Found, Expected} ->
        io:format(standard_error, "the result is ~p and should be ~p~n", [Found, Expected]),
        halt(1)
    end,
    halt(0).

row("pair-1", N) -> report(N, fun(C) -> rings(2 * C, 2, 1) end, fun(C) -> sum_of_numbers(2 * C) end);
row("pairs-1000", N) ->
    report(N, fun(C) -> rings(2 * (C div 1000), 2, 1000) end,
        fun(C) -> 1000 * sum_of_numbers(2 * (C div 1000)) end);
row("ring-1000", N) -> report(N, fun(C) -> rings(C, 1000, 1) end, fun sum_of_numbers/1);
row("call-1", N) -> report(N, fun(C) -> calls(C, 1) end, fun sum_of_numbers/1);
row("call-1000", N) ->
    report(N, fun(C) -> calls(C, 1000) end, fun(C) -> 1000 * sum_of_numbers(C div 1000) end);
row("call-chain", N) -> report(N, fun call_chain/1, fun sum_of_numbers/1);
row("flood-1to1", N) -> report(N, fun(C) -> flood(C, 1) end, fun sum_of_numbers/1);
row("flood-8to1", N) -> report(N, fun(C) -> flood(C, 8) end, fun sum_of_numbers/1);
row("spawn", N) -> report(N, fun spawns/1, fun sum_of_numbers/1);
row("idle-bytes", N) -> idle_bytes(N).

sum_of_numbers(N) -> N * (N - 1) div 2.

report(Count, Run, Expected) ->
    check(Run, max(Count div 10000 * 1000, 1000), Expected),
    io:format("{\"value\":~.3f}~n", [check(Run, Count, Expected) / Count]).

check(Run, Count, Expected) ->
    {Took, Sum} = Run(Count),
    Right = Expected(Count),
    Sum =:= Right orelse throw({wrong, Sum, Right}),
    Took.

now_ns() -> erlang:monotonic_time(nanosecond).

%% Runs Body in a process of its own, whose heap no other row has touched; it returns {Nanoseconds, Sum}.
alone(Body) ->
    Self = self(),
    spawn_link(fun() -> Self ! {took, Body()} end),
    receive {took, Result} -> Result end.

%% ---- messages ----

%% A number goes round each of several rings of processes, one down at each hop.
rings(Hops, Size, Rings) ->
    alone(fun() ->
        Owner = self(),
        Firsts = [make_ring(Owner, Size) || _ <- lists:seq(1, Rings)],
        Start = now_ns(),
        [First ! Hops || First <- Firsts],
        [receive done -> ok end || _ <- Firsts],
        Took = now_ns() - Start,
        [First ! {stop, First} || First <- Firsts],
        {Took, add_sums(Rings * Size, 0)}
    end).

make_ring(Owner, Size) ->
    Last = spawn_link(fun() -> receive {next, Next} -> ring_process(Next, Owner, 0) end end),
    First = lists:foldl(fun(_, Next) -> spawn_link(fun() -> ring_process(Next, Owner, 0) end) end,
        Last, lists:seq(2, Size)),
    Last ! {next, First},
    First.

ring_process(Next, Owner, Sum) ->
    receive
        1 -> Owner ! done, ring_process(Next, Owner, Sum);
        Number when is_integer(Number) -> Next ! Number - 1, ring_process(Next, Owner, Sum + Number - 1);
        {stop, Next} -> Owner ! {sum, Sum};
        {stop, First} -> Next ! {stop, First}, Owner ! {sum, Sum}
    end.

add_sums(0, Sum) -> Sum;
add_sums(N, Sum) -> receive {sum, More} -> add_sums(N - 1, Sum + More) end.

%% Senders send the numbers 0 .. Count - 1 between them to one process.
flood(Count, Senders) ->
    alone(fun() ->
        Sink = self(),
        Start = now_ns(),
        [spawn_link(fun() -> send_all(Sink, First, Senders, Count) end) || First <- lists:seq(0, Senders - 1)],
        Sum = take(Count, 0),
        {now_ns() - Start, Sum}
    end).

send_all(Sink, Number, Step, Count) when Number < Count ->
    Sink ! Number,
    send_all(Sink, Number + Step, Step, Count);
send_all(_, _, _, _) -> ok.

take(0, Sum) -> Sum;
take(N, Sum) -> receive Number -> take(N - 1, Sum + Number) end.

%% ---- calls ----

%% Answers each request with the sum so far.
adder(Sum) ->
    receive
        {From, Ref, Number} -> From ! {Ref, Sum + Number}, adder(Sum + Number);
        stop -> ok
    end.

%% Answers each request by asking another process.
middle(Next) ->
    receive
        {From, Ref, Number} -> From ! {Ref, call(Next, Number)}, middle(Next);
        stop -> Next ! stop
    end.

call(To, Number) ->
    Ref = make_ref(),
    To ! {self(), Ref, Number},
    receive {Ref, Answer} -> Answer end.

call_all(To, Number, Count, _) when Number < Count -> call_all(To, Number + 1, Count, call(To, Number));
call_all(To, _, _, Sum) -> To ! stop, Sum.

calls(Count, Pairs) ->
    alone(fun() ->
        Owner = self(),
        Adders = [spawn_link(fun() -> adder(0) end) || _ <- lists:seq(1, Pairs)],
        Start = now_ns(),
        [spawn_link(fun() -> Owner ! {sum, call_all(Adder, 0, Count div Pairs, 0)} end) || Adder <- Adders],
        Sum = add_sums(Pairs, 0),
        {now_ns() - Start, Sum}
    end).

call_chain(Count) ->
    alone(fun() ->
        Adder = spawn_link(fun() -> adder(0) end),
        Middle = spawn_link(fun() -> middle(Adder) end),
        Start = now_ns(),
        Sum = call_all(Middle, 0, Count, 0),
        {now_ns() - Start, Sum}
    end).

%% ---- lives ----

%% A process is made, gets a number, answers it and ends.
spawns(Count) ->
    alone(fun() ->
        Start = now_ns(),
        Sum = spawn_all(0, Count, 0),
        {now_ns() - Start, Sum}
    end).

spawn_all(Count, Count, Sum) -> Sum;
spawn_all(Number, Count, Sum) ->
    Self = self(),
    Child = spawn(fun() -> receive {From, N} -> From ! {answer, N} end end),
    Child ! {Self, Number},
    receive {answer, N} -> spawn_all(Number + 1, Count, Sum + N) end.

%% Processes that have had a message each, and wait for the next.
idle_bytes(Count) ->
    Before = resident_bytes(),
    Adders = [spawn(fun() -> adder(0) end) || _ <- lists:seq(1, Count)],
    Sum = lists:foldl(fun(Adder, Sum) -> Sum + call(Adder, 1) end, 0, Adders),
    Sum =:= Count orelse throw({wrong, Sum, Count}),
    io:format("{\"value\":~.1f}~n", [(resident_bytes() - Before) / Count]).

resident_bytes() ->
    {ok, File} = file:open("/proc/self/statm", [read, raw, binary]),
    {ok, Line} = file:read(File, 200),
    ok = file:close(File),
    [_, Pages | _] = binary:split(Line, <<" ">>, [global]),
    binary_to_integer(Pages) * 4096.
