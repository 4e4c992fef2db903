;; The libraries of macros that come with the assembler: what they make runs, and mistakes in their use are told.
(use scheme-lib/util)
(use scheme-lib/test)
(use scheme-lib/machine)
(use asm/assembler)

;; A machine that has run a source to its end.
(define (ran source)
  (let ((machine (make-machine)))
    (machine-load! machine (program-image (asm-string source name: "t.s")))
    (machine-run! machine 100000)
    machine))

(define (registers-after source . registers)
  (let ((machine (ran source)))
    (map (lambda (register) (machine-register machine register)) registers)))

(define structured (lines "(use asm/library/structured)"))

;; r1 after the body of a procedure whose locals are a, b and c.
(define (result . body)
  (car (registers-after (text structured "($procedure \"_start\" () (a b c)\n" (apply lines body) ")\n") 'r1)))

(test-group "structured: control"
  (test "$if with one arm and with two" '(7 8)
        (list (result "($set a 1)" "($if (a = 1) ($set a 7) ($set a 9))")
              (result "($set a 2)" "($if (a = 1) ($set a 7) ($set a 8))" "($if (a = 7) ($set a 9))")))
  (test "$while" 55 (result "($set a 0)" "($set b 10)" "($while (b > 0)" "(add a a b)" "(addi b b -1))"))
  (test "$for" 45 (result "($set a 0)" "($for (b 0 10)" "(add a a b))"))
  (test "$break and $continue" 16
        (result "($set a 0)" "($for (b 0 100)" "(andi c b 1)" "($if (c = 0) ($continue))" "($if (b = 9) ($break))" "(add a a b))"))
  (test "$switch with a table, and without" '(10 20 30 99 30 99)
        (append
         (map (lambda (n) (result (text "($set b " n ")")
                                  "($switch b ((1 3) ($set a 10)) ((2) ($set a 20)) ((4 5) ($set a 30)) (else ($set a 99)))"))
              '(3 2 5 9))
         (map (lambda (n) (result (text "($set b " n ")")
                                  "($switch b ((#\\a) ($set a 10)) ((1000) ($set a 30)) (else ($set a 99)))"))
              '(1000 5))))
  (test "conditions put together" 1
        (result "($set b 3)" "($if (and (b > 2) (or (b = 9) (not (b >= 4)))) ($set a 1) ($set a 2))")))

(test-group "structured: procedures"
  (test "call each other, with results" '(120 2)
        (registers-after
         (text structured (lines "($procedure \"_start\" () (x y)"
                                 "  ($set x ($call \"factorial\" 5))"
                                 "  ($set (y x) ($call \"swap\" x 2))"
                                 "  ($return y x))"
                                 "($procedure \"swap\" (a b) () ($return a b))"
                                 "($procedure \"factorial\" (n) (rest)"
                                 "  ($if (n < 2) ($return 1))"
                                 "  (addi rest n -1)"
                                 "  ($set rest ($call \"factorial\" rest))"
                                 "  (mul n n rest)"
                                 "  ($return n))"))
         'r1 'r2))
  (test "a call is a value in another one, and of $return" 193
        (car (registers-after
              (text structured (lines "($procedure \"_start\" () (x)"
                                      "  ($set x 7)"
                                      "  ($return ($call \"join\" ($call \"join\" 1 2) ($call \"join\" x 3))))"
                                      "($procedure \"join\" (a b) ()"
                                      "  (muli a a 10)"
                                      "  (add a a b)"
                                      "  ($return a))"))
              'r1)))
  (test "but not in a condition" #t
        (and (string-contains
              (car (messages (text structured "($procedure \"f\" () (a) ($if (a = ($call \"f\")) (nop)))")))
              "a call cannot stand here: expected it in $set, $return or another call")
             #t))
  (test "have frames in memory" 77
        (car (registers-after
              (text structured (lines "($procedure \"_start\" () (a)" "  ($use-stack (address \"end\"))"
                                      "  ($frame (place 16)" "    ($set a 77)" "    (st64 place a 8)" "    ($set a 0)"
                                      "    (ldu64 a place 8)))" ".bss" ".zero 64" "end:"))
              'r1)))
  (test "their statements have the lines of the source" '(3 4 5 4 2)
        (map (lambda (line) (vector-ref line 2))
             (program-lines (asm-string (text structured (lines "($procedure \"f\" () (a)" "  ($set a 1)" "  ($while (a < 9)"
                                                                "    (addi a a 1)))"))))))
  ;; Of the file, the place is that of a form in the library, whose lines may change.
  (test "what the macros made by themselves stands in the library, what was written in them in the source"
        '((65536 "$set" "asm/library/structured.scm") (65539 "$while" "asm/library/structured.scm")
          (65545 "$branch" "asm/library/structured.scm") (65549 "$procedure" "asm/library/structured.scm"))
        (map (lambda (expansion) (map (lambda (i) (vector-ref expansion i)) '(0 1 2)))
             (program-expansions (asm-string (text structured (lines "($procedure \"f\" () (a)" "  ($set a 1)"
                                                                     "  ($while (a < 9)" "    (addi a a 1)))"))))))
  (test "each in a line of its own macro" #t
        (let ((lines (map (lambda (expansion) (vector-ref expansion 3))
                          (program-expansions (asm-string (text structured "($procedure \"f\" () (a) ($set a 1) ($return))"))))))
          (and (every (lambda (line) (> line 1)) lines)
               (= 3 (length (delete-duplicates lines))))))
  (test "a mistake in what a macro makes is told in the source" '("2:24 ")
        (map (lambda (message) (substring message 0 5))
             (messages (text structured "($procedure \"f\" () (a) ($set a \"far\"))"))))
  (test "mistakes are told"
        '("2:1 expected ($procedure \"name\" (parameter ...) (local ...) statement ...), found ($procedure \"f\")"
          "3:1 a statement is an instruction, a form that begins with $, or a label as a string, found 5"
          "4:1 there is no comparison `==`: known are = != < >= > <= u< u>= u> u<=, found (r1 == 2)"
          "5:1 `$break` stands in no loop: expected it in a $while or a $for"
          "6:1 expected ($if condition statement [statement]), found ($if (r1 = 1))"
          "7:1 a condition is (register operator value), (not ...), (and ...) or (or ...), found (r1 =)"
          "8:1 expected ($switch register ((constant ...) statement ...) ... (else statement ...)), found ($switch r1)")
        (messages (text structured
                        (lines "($procedure \"f\")" "($procedure \"f\" () () 5)" "($if (r1 == 2) (nop))"
                               "($procedure \"g\" () () ($break))" "($if (r1 = 1))" "($if (r1 =) (nop))" "($switch r1)"))))
  (test "others, too"
        '("2:1 expected ($set register value), found ($set r1)"
          "3:1 expected ($call \"name\" value ...), found ($call)"
          "4:1 expected ($while condition statement ...), found ($while)"
          "5:1 expected ($for (register from end) statement ...), found ($for (r1 0))"
          "6:1 expected ($let (register ...) statement ...), found ($let)"
          "7:1 expected a list of names for registers, found (5)"
          "8:1 expected ($use-stack end), found ($use-stack)"
          "9:1 expected ($frame (local length) statement ...), found ($frame (a))")
        (messages (text structured
                        (lines "($set r1)" "($call)" "($while)" "($for (r1 0))" "($let)" "($let (5) (nop))" "($use-stack)"
                               "($frame (a))")))))

(test-group "tables"
  (test "texts where they are used, once each" (bytes "61 00 62 00")
        (let ((program (asm-string (lines "(use asm/library/tables)" "imm r1, ($text \"a\")" "imm r2, ($text \"b\")"
                                          "imm r3, ($text \"a\")" ".rodata" "($texts)"))))
          (u8vector->hex (program-section-bytes (cadr (program-sections program))))))
  (test "and their addresses" '(#x20000 #x20002 #x20000)
        (registers-after (lines "(use asm/library/tables)" "imm r1, ($text \"a\")" "imm r2, ($text \"b\")"
                                "imm r3, ($text \"a\")" "halt" ".rodata" "($texts)")
                         'r1 'r2 'r3))
  (test "a table of strings" (bytes "10000100 00000000 13000100 00000000 6f6e00 74776f00")
        (code (lines "(use asm/library/tables)" "($string-table \"t\" \"on\" \"two\")")))
  (test "a table of numbers" (bytes "0000 0100 0400 0900")
        (code (lines "(use asm/library/tables)" "($table \"squares\" 2 4 (lambda (i) (* i i)))")))
  (test "mistakes" '("2:1 $table expects numbers of 1, 2, 4 or 8 bytes, found 3" "3:1 $text expects a string, found 5")
        (messages (lines "(use asm/library/tables)" "($table \"t\" 3 1 list)" "(list ($text 5))"))))

(define records (lines "(use asm/library/records)" "($record point (tag u8) (x s32) (name 3) (y u64))"))

(test-group "records"
  (test "are views of their layout" '(("point" . "(record 24 (tag u8 0) (x s32 4) (name (bytes 3) 8) (y u64 16))"))
        (program-views (asm-string (text records "halt\n"))))
  (test "names for offsets, aligned" (bytes "00 04 08 10 18")
        (code (text records ".byte point.tag, point.x, point.name, point.y, point.size\n")))
  (test "loads and stores know the size" (list (- (expt 2 64) 5) 200)
        (registers-after (text records (lines "imm r2, 0x20000" "simm r1, 5" "($store r2 r1 point.x)" "imm r1, 200"
                                              "($store r2 r1 point.tag)" "($load r3 r2 point.x)" "($load r4 r2 point.tag)" "halt"
                                              ".data" ".zero point.size"))
                         'r3 'r4))
  (test "mistakes"
        '("3:20 `point.z` is no field of a record that $record has defined before (did you mean `point.y` or `point.x`?)"
          "4:1 `point.name` is bytes, which no register holds: load parts of them with an offset"
          "5:1 expected ($record name (field type) ...), where a type is u8 u16 u32 u64 s8 s16 s32 s64 f32 f64 or a number of bytes, found ($record p (x int))"
          "6:1 expected ($load register base record.field), found ($load r1)")
        (map (lambda (message) (string-replace message "Scheme: " ""))
             (messages (text records (lines "(define point.z 5) ($load r1 r2 point.z)" "($load r1 r2 point.name)"
                                            "($record p (x int))" "($load r1)"))))))

;; Counts words of letters; the input is bytes that end with 0.
(define word-count
  (lines "(use asm/library/structured)" "(use asm/library/states)"
         "($procedure \"_start\" () (words at byte)"
         "  ($set at (address \"input\"))"
         "  ($set words 0)"
         "  ($ ($states (byte (ldu8 byte at) (addi at at 1))"
         "    (\"blank\" ((#\\a #\\z) \"word\" (addi words words 1)) (0 done) (else \"blank\"))"
         "    (\"word\" ((#\\a #\\z) \"word\") (0 done) (else \"blank\"))))"
         "  ($return words))"
         ".rodata" "input: .asciz \"  three little words \""))

(test-group "state machines"
  (test "go from state to state by the input" '(3) (registers-after word-count 'r1))
  (test "a state that is none" #t
        (and (string-contains (car (messages (string-replace word-count "\"word\")" "\"wrod\")")))
                              "there is no state \"wrod\" (did you mean `word`?)")
             #t))
  (test "the shape" #t
        (and (string-contains (car (messages (lines "(use asm/library/states)" "($states 5)")))
                              "expected ($states (register statement ...) (\"state\" (input \"next\" statement ...) ...) ...)")
             #t)))

;; ---- expressions -------------------------------------------------------------------------------------

(define (computed expression)
  (car (registers-after
        (lines "(use asm/library/expressions)" "imm r2, 7" "simm r3, 4" "imm r4, 1000" "imm r5, 0x20000"
               (text "($compute r1 " expression " r10)") "halt" ".data" ".word 5, 0xffffffff")
        'r1)))

(define (listed expression)
  (map (lambda (line) (string-trim (car (string-split-at (cadr (string-split-at line "|")) "  ; in `$compute`, asm/"))))
       (filter (lambda (line) (string-contains line "| "))
               (string-split (program-listing (asm-string (lines "(use asm/library/expressions)"
                                                                 (text "($compute r1 " expression " r10)"))))
                             #\newline))))

(define (string-split-at string mark)
  (let ((at (string-contains string mark)))
    (list (substring string 0 at) (substring string (+ at (string-length mark)) (string-length string)))))

(test-group "expressions"
  (test "values" '(26 3 49 1 0 5 -1 4)
        (map (lambda (expression) (s64 (computed expression)))
             '("(+ (* r2 2) (- r4 988))" "(+ r2 r3)" "(* r2 r2)" "(< r3 r2)" "(u< r3 r2)" "(u32 r5)" "(s32 r5 4)" "(min 9 (- r3))")))
  (test "constants are computed" '("imm r1, 14") (listed "(+ 2 (* 3 4))"))
  (test "operands that fit are immediates; powers of two are shifts" '("shli r1, r2, 3" "addi r1, r1, -5")
        (listed "(- (* 8 r2) 5)"))
  (test "constants of one operator come together" '("addi r1, r2, 6") (listed "(+ 1 r2 2 3)"))
  (test "the operand that needs more registers is first, so that few are needed"
        '("mul r1, r3, r4" "mul r10, r4, r5" "add r1, r1, r10" "add r1, r2, r1")
        (listed "(+ r2 (+ (* r3 r4) (* r4 r5)))"))
  (test "what is read is not overwritten" '("addi r10, r1, 1" "mul r1, r10, r1") (listed "(* (+ r1 1) r1)"))
  (test "in a procedure the free registers are known" 21
        (car (registers-after (lines "(use asm/library/structured)" "(use asm/library/expressions)"
                                     "($procedure \"_start\" () (a b)" "  ($set b 10)" "  ($compute a (+ (* b 2) 1))"
                                     "  ($return a))")
                              'r1)))
  (test "mistakes"
        '("2:1 there is no operator `plus` in the expression (plus 1 2)"
          "3:1 `/` takes 2 operands, found 1 in the expression (/ 1)"
          "4:1 `-` takes 1 or 2 operands, found 3 in the expression (- 1 2 3)"
          "5:1 expected an expression, found \"x\""
          "6:1 expected ($compute register expression [first free register]), found ($compute r1)"
          "7:1 a constant in an expression is a whole number, found 1.5"
          "8:1 `+` takes 1 or more operands, found 0 in the expression (+)")
        (messages (lines "(use asm/library/expressions)" "($compute r1 (plus 1 2) r9)" "($compute r1 (/ 1) r9)"
                         "($compute r1 (- 1 2 3) r9)" "($compute r1 \"x\" r9)" "($compute r1)" "($compute r1 (+ r2 1.5) r9)"
                         "($compute r1 (+) r9)"))))

;; Random expressions against Scheme's own arithmetic.
(define random-integer*
  (let ((source (make-random-source)))
    (random-source-pseudo-randomize! source 7 8)
    (random-source-make-integers source)))

(define variables '((r1 . 5) (r2 . 7) (r3 . -4) (r4 . 1000)))

(define (random-expression depth)
  (if (or (= depth 0) (= 0 (random-integer* 5)))
      (if (= 0 (random-integer* 3))
          (- (random-integer* 40) 20)
          (car (list-ref variables (random-integer* 4))))
      (let ((operator (list-ref '(+ - * and or xor < = >= min max u<) (random-integer* 12))))
        (list operator (random-expression (- depth 1)) (random-expression (- depth 1))))))

(define (value-of expression)
  (cond ((symbol? expression) (cdr (assq expression variables)))
        ((number? expression) expression)
        (else
         (let ((a (value-of (cadr expression))) (b (value-of (caddr expression))))
           (define (truth x) (if x 1 0))
           (s64 (u64 (case (car expression)
                       ((+) (+ a b)) ((-) (- a b)) ((*) (* a b)) ((and) (bitwise-and a b)) ((or) (bitwise-ior a b))
                       ((xor) (bitwise-xor a b)) ((<) (truth (< a b))) ((=) (truth (= a b))) ((>=) (truth (>= a b)))
                       ((min) (min a b)) ((max) (max a b)) ((u<) (truth (< (u64 a) (u64 b)))))))))))

;; Many expressions in one program, each of whose results is stored.
(test-group "random expressions"
  (let* ((expressions (map (lambda (i) (random-expression 5)) (iota 60)))
         (program (text (lines "(use asm/library/expressions)" "imm r50, 0x20000")
                        (apply string-append
                               (map (lambda (expression i)
                                      (text (lines "imm r1, 5" "imm r2, 7" "simm r3, 4" "imm r4, 1000")
                                            "($compute r1 " (written expression) " r10)\nst64 r50, r1, " (* 8 i) "\n"))
                                    expressions (iota 60)))
                        (lines "halt" ".data" ".zero 480")))
         (machine (ran program)))
    (test "have the values that Scheme computes"
          (map value-of expressions)
          (map (lambda (i) (machine-peek-signed machine (+ #x20000 (* 8 i)) 8)) (iota 60)))))
