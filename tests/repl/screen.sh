# Tests of the screen (`tui`) through a real terminal, with the helpers of terminal.sh. Part of run.sh.

# The screen with its colours, escape characters as ^.
coloured() { tmux -L "$SERVER" capture-pane -e -p -t test | sed 's/\x1b/^/g'; }
# resize COLUMNS ROWS
resize() { tmux -L "$SERVER" resize-window -t test -x "$1" -y "$2"; }
# after: what shows that the terminal is in order again
AFTER='echo left with $?; stty -a | grep -o " [-]*echo " | tr -d " "; echo in order'

open "$COMET tests/repl/programs/factorial.s; $AFTER"
see "the prompt" "comet[factorial.s: _start]> "
line '(display "before the screen")'
see "what stood before" "before the screen"
line 'tui'
see "the screen has the source" "-- tests/repl/programs/factorial.s --"
see "with the line that the program is at" " =>  3          imm     r11, 5"
see "the code, with the instruction" " => 0x00010000  imm r11, 5"
see "registers" "-- registers --"
see "activations" "=> 0  _start, tests/repl/programs/factorial.s:3"
see "memory" "0x00020000  00 00 00 00 00 00 00 00"
see "and the timeline" "#] 0"
key s
see "s steps" " =>  4          call    r10, factorial"
see "and marks registers that changed" "*r11   5"
key s
see "into a call" "-- activations, 2 --"
key S
see "S steps back" "-- activations, 1 --"
see "and the timeline tells" ", at 1 of 2"
key n
see "n goes over a call" " =>  5          st64    r0, r11"
key N
see "N back over it" " =>  4          call    r10, factorial"
key l
see "l goes by a line of the source" " =>  5          st64    r0, r11"
key L
see "L back by one" " =>  4          call    r10, factorial"
key s
key f
see "f finishes the call" "returned to _start+0x6"
key '<'
see "< goes to the start" "the start of the timeline at _start"
key '>'
see "> to the end of what was" " =>  5          st64    r0, r11"
key '['
see "[ goes back by a part" ", at "
key '<'
see "and < to the start again" "at 0 of"
key Down Down Down Down Down Down Down
key b
see "b sets a breakpoint at the cursor" "breakpoint at factorial+0x4, tests/repl/programs/factorial.s:10"
key c
see "c continues to it" "breakpoint 1 at factorial+0x4"
see "where it is marked" "*=> 10          addi    r3, r1, -1"
key u
see "u selects the caller" "=> 1  _start+0x3"
key d
see "d goes down again" "=> 0  factorial+0x4"
key b
see "b takes it away" "no breakpoint any more at factorial+0x4"
key Tab Tab
key Down
see "Tab moves to another pane, where arrows scroll" "0x00020038  00 00"
key m
see "m asks for an address" "memory at: "
line '_start'
see "and goes there" "0x00010000  03 0b 05"
key :
see ": asks for a command" "comet> "
line 'print (* 6 7)'
see "and shows what it says" "(* 6 7) = 42"
key :
line 'display result'
see "what is displayed has a pane" "-- displayed --"
see "which shows it" ": result = 0x00020000"
key :
line 'undisplay'
key :
line '(car 5)'
see "an error is one line" "error: (Argument 1) PAIR expected (car 5)"
key :
typed 'hel'; key Tab; key Enter
see "more than fits is a page of its own" "arrows and page keys scroll; any other key goes back"
key PageDown; key PageDown
see "that scrolls" "(machine-register-set! (the-machine) 'r5 10)"
key q
see "which a key leaves" "-- registers --"
key '?'
see "? lists the keys" "Keys of the screen"
key q
key :
line 'tui'
see "one screen is enough" "this is the screen already"
resize 70 20
see "a smaller terminal has a smaller screen" "|0x00010010  20 47 03 01 01 0e 02 0f"
check "in its rows" 20 "$(screen | wc -l)"
see "with the keys at its end" "s step, n next"
resize 40 10
see "a small one shows one pane" "-- memory --"
key Tab
see "Tab goes to the registers as well" "-- registers --"
see "with their marks" "*r1    5"
lacks "alone" "-- memory --"
key Tab
see "and to the source" "=> "
check "in its rows" 10 "$(screen | wc -l)"
see "with the timeline" "] 25"
see "and a word on keys" "? help, Tab other panes, q leave"
resize 20 6
see "a tiny one" "factorial.s: "
sleep 0.6
check "in its rows" 6 "$(screen | wc -l)"
see "still shows where the program is" "=> "
key s
sleep 0.4
key S
see "and is driven by the same keys" "=> "
resize 8 2
sleep 0.6
check "and nothing is too small" 2 "$(screen | wc -l)"
key '?'
sleep 0.3
key q
resize 60 15
see "a low one has one pane" "? help, Tab other panes"
resize 120 50
see "a larger one has more" "-- registers --"
key f
see "an error of a key is one line" "returned to"
key c
see "the end" "halted with exit status 0"
key s
see "behind which nothing goes" "error: the program has halted"
key C-c
see "Ctrl-C does not leave" "q goes back to the prompt"
key q
see "q leaves" "comet[factorial.s: halted 0]> "
see "and what stood before is there" "before the screen"
line 'quit'
see "with the terminal in order" "in order"
check "echo is on" "echo" "$(screen | grep -x -e 'echo' -e '-echo')"

open "$COMET tests/repl/programs/endless.s; $AFTER"
see "a program that does not end" "comet[endless.s: _start]> "
line 'tui'
see "on the screen" "-- registers --"
key c
see "runs, and says so" "running; Ctrl-C stops it"
resize 110 40
sleep 0.5
check "on a screen that follows the terminal" 40 "$(screen | wc -l)"
key C-c
see "Ctrl-C stops it" "interrupted at again"
key :
line 'quit 3'
see "quit from the screen" "left with 3"
see "leaves the terminal in order, too" "in order"

open "env NO_COLOR=1 $COMET tests/repl/programs/echo.s; $AFTER"
see "without colours" "comet[echo.s: _start]> "
line 'tui'
see "there is a screen, too" "-- registers --"
key c
see "a program that reads asks below" "the program reads a line of input: "
line 'Ada'
key C-d
see "and gets its line" "name? Ada"
check "and no colour appears" 0 "$(coloured | grep -c '\^\[[0-9;]*3[0-7]m')"
key q
see "what it wrote is printed when the screen is left" "name? Ada"
line 'quit'
see "in the end" "in order"

open "sh -c \"echo \\\$\\\$ >$WORK/pid; exec $COMET tests/repl/programs/factorial.s\"; $AFTER"
see "with colours" "comet[factorial.s: _start]> "
line 'step'
line 'registers'
see "the prompt shows registers" "r11  5"
check "what changed stands out" 1 "$(coloured | grep -c 'r11  ^\[33m^\[1m5\|r11  ^\[1m^\[33m5\|r11  ^\[1;33m5')"
line 'tui'
see "the screen" "-- registers --"
kill -TERM "$(cat "$WORK/pid")"
see "a signal that ends the process" "in order"
check "leaves echo on" "echo" "$(screen | grep -x -e 'echo' -e '-echo')"

open "env TERM=dumb $COMET tests/repl/programs/factorial.s"
see "a terminal that cannot place text" "comet[factorial.s: _start]> "
line 'tui'
see "has no screen, which is told" "error: a screen needs a terminal that can place text"
check "nor has a pipe" 1 "$(printf 'load examples/wc.s\ntui\n' | "$COMET" >"$WORK/out"; echo $?)"
contains "which is told, with what does without" '`registers`, `disassemble`, `examine` and `where` show the same' "$(cat "$WORK/out")"
