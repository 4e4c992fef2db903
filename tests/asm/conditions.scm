;; .if, .rept, .irp, assertions and warnings; local labels.
(use scheme-lib/util)
(use scheme-lib/test)
(use asm/assembler)
(use asm/settings)

(define (warnings-of thunk)
  (call-with-output-string
   "" (lambda (port) (parameterize ((current-error-port port)) (thunk)))))

(test-group "conditions"
  (test "the first that holds is taken" '("01" "02" "03")
        (map (lambda (n)
               (code (text ".equ n, " n "\n"
                           (lines ".if (= n 1)" ".byte 1" ".elseif (= n 2)" ".byte 2" ".else" ".byte 3" ".endif"))))
             '(1 2 3)))
  (test "0 and #f are false, everything else is true" "010203"
        (code (lines ".if 0" ".byte 0" ".endif" ".if 5" ".byte 1" ".endif" ".if (if #f #t #f)" ".byte 9" ".endif"
                     ".if (list)" ".byte 2" ".endif" "x = 1" ".if x" ".byte 3" ".endif")))
  (test "stand in each other" "02"
        (code (lines ".if 1" ".if 0" ".byte 1" ".else" ".byte 2" ".endif" ".endif")))
  (test "labels in them" '(("b" . 65536))
        (symbols (lines ".if 0" "a: nop" ".else" "b: nop" ".endif")))
  (test "a name that is defined so far" "0104"
        (code (lines "a = 1" ".ifdef a" ".byte 1" ".endif" ".ifdef b" ".byte 2" ".endif"
                     ".ifndef a" ".byte 3" ".endif" ".ifndef b" ".byte 4" ".endif" "b = 2")))
  (test "which is how a part is assembled once" "070107"
        (code (lines ".rept 2" ".ifndef once" "once = 1" ".byte 7" ".endif" ".endr" ".byte once, 7")))
  (test "instructions are no definitions" "01" (code (lines ".ifndef add" ".byte 1" ".endif")))
  (test "may depend on addresses that are not known yet" (bytes "01 02")
        (code (lines ".if (> (address \"end\") 0x10000)" ".byte 1" ".endif" ".byte 2" "end:")))
  (test "source lines are those of what was taken" '(2 5)
        (map (lambda (line) (vector-ref line 2))
             (program-lines (asm-string (lines ".if 1" "nop" ".else" ".endif" "nop" ".if 0" "nop" ".endif")))))
  (test "mistakes in what is not taken that can be read are no errors" '()
        (messages (lines ".if 0" "ad r1" "jump nowhere" ".error \"no\"" ".endif")))
  (test "one that is not closed" '("2:1 this `.if` is never closed: expected `.endif` before the end of the file")
        (messages (lines "nop" ".if 1" "nop")))
  (test "an end without a beginning" '("1:1 `.endif` belongs to no `.if` before it"
                                       "2:1 `.else` belongs to no `.if` before it"
                                       "3:1 `.endr` belongs to no `.rept` or `.irp` before it")
        (messages (lines ".endif" ".else" ".endr")))
  (test "the wrong end" '("3:1 found `.endr`, but the `.if` of line 1 is open: expected `.endif`")
        (messages (lines ".if 1" "nop" ".endr")))
  (test "something behind .else" '("3:1 `.else` behind `.else`: expected `.endif`")
        (messages (lines ".if 1" ".else" ".else" ".endif")))
  (test "a condition that is none" '("1:1 `.if` expects one number or a Scheme form, such as .if (> size 4), found 3 operands")
        (messages (lines ".if size > 4" ".endif")))
  (test "an error in .elseif stands there" '("2:9 Scheme: (Argument 1) PAIR expected (car 5)")
        (messages (lines ".if 0" ".elseif (car 5)" ".endif")))
  (test "not from Scheme" #t
        (and (string-contains (car (messages "(list '.if 1)")) "cannot come from Scheme") #t)))

(test-group "repetition"
  (test "so many times" "070707" (code (lines ".rept 3" ".byte 7" ".endr")))
  (test "not at all" "08" (code (lines ".rept 0" ".byte 7" ".endr" ".byte 8")))
  (test "a count that Scheme gives" "0101" (code (lines "(define n 1)" ".rept (+ n 1)" ".byte 1" ".endr")))
  (test "in each other" "01020201020203"
        (code (lines ".rept 2" ".byte 1" ".rept 2" ".byte 2" ".endr" ".endr" ".byte 3")))
  (test "with jumps whose sizes differ from round to round" (bytes "0a08 0a04 01")
        (code (lines ".rept 2" "jump end" ".endr" "end: nop")))
  (test "with labels of their own" (bytes "0a04 0a04 01")
        (code (lines ".rept 2" "jump 1f" "1:" ".endr" "nop")))
  (test "with a label of the whole program, which is an error" '("2:1 the label `a` is defined already")
        (messages (lines ".rept 2" "a: nop" ".endr")))
  (test "a value that changes" "000102"
        (code (lines "n = 0" ".rept 3" ".byte n" ".set n, (+ n 1)" ".endr")))
  (test "values in turn" "010203" (code (lines ".irp x, 1, 2, 3" ".byte x" ".endr")))
  (test "registers, written with and without \\" (bytes "33 01 02 01 33 01 02 05")
        (code (lines ".irp r, r1, r5" "add r1, r2, \\r" ".endr")))
  (test "labels, strings, forms" (bytes "0a04 0a00")
        (code (lines ".irp where, a, b" "jump where" ".endr" "a = 0x10002" "b = 0x10002")))
  (test "strings" "6162" (code (lines ".irp s, \"a\", \"b\"" ".ascii s" ".endr")))
  (test "as a Scheme variable" "0204" (code (lines ".irp x, 1, (+ 1 1)" "(list '.byte (* 2 x))" ".endr")))
  (test "a count that is none" '("1:1 `.rept` expects a number from 0 to 1048576, found the number -1")
        (messages (lines ".rept -1" ".endr")))
  (test "too many" '("3:1 the repeated lines would make more than 1048576 statements")
        (messages (lines ".rept 1000000" ".endr" ".rept 1000000" "nop" ".endr")))
  (test "a count that comes later" "0707" (code (lines ".rept n" ".byte 7" ".endr" "n = 2")))
  (test "a count by another name of what comes later" "070707"
        (code (lines "n = m" ".rept n" ".byte 7" ".endr" "m = 3")))
  (test "a count that is a distance behind it" "0707020101"
        (code (lines ".rept (- (address \"end\") (address \"begin\"))" ".byte 7" ".endr" ".byte 2" "begin: .byte 1, 1" "end:")))
  (test "a spoilt count fails at once, however much it would repeat"
        '(#t "1:7 the label `conut` is not defined")
        (let* ((begin (real-time))
               (found (messages (lines ".rept conut" ".rept 60" "nop" ".endr" ".endr"))))
          (cons (< (- (real-time) begin) 0.5) found)))
  (test "values without a name" '("1:1 `.irp` expects a name and values, such as .irp register, r1, r2")
        (messages (lines ".irp 1, 2" ".endr")))
  (test "one that is not closed" '("1:1 this `.rept` is never closed: expected `.endr` before the end of the file")
        (messages (lines ".rept 2" "nop"))))

(test-group "symbols with ="
  (test "are numbers, for text and for Scheme" "0508" (code (lines "x = 5" ".byte x" ".byte (+ x 3)")))
  (test "may be given again" "0506" (code (lines "x = 5" ".byte x" "x = 6" ".byte x")))
  (test "without blanks are told how they are written"
        '("1:1 there is no instruction `x=5`; an assignment has blanks around =, as in size = 64") (messages "x=5"))
  (test "need a value" '("1:1 expected one value behind `x =`, found 0") (messages "x ="))
  (test "registers are no symbols" '("1:1 `r1` is a register, which cannot be given a value here") (messages "r1 = 5")))

(test-group ".org"
  (test "goes on at an address" (bytes "01 000000 02") (code (lines ".byte 1" ".org 0x10004" ".byte 2")))
  (test "with a byte to fill" (bytes "01 ffff 02") (code (lines ".byte 1" ".org (+ (address \"a\") 3), 0xff" ".byte 2" "a = 0x10000")))
  (test "not back" '("2:6 `.org` cannot go back: the address here is 0x00010001, found 0x00010000")
        (messages (lines ".byte 1" ".org 0x10000")))
  (test "not too far" #t
        (and (string-contains (car (messages ".org 0xffffffffff")) "a section may have") #t)))

(test-group "assertions, errors and warnings"
  (test "what holds gives nothing" "01" (code (lines ".assert (= 1 1), \"no\"" ".byte 1")))
  (test "what does not is an error" '("1:9 too small") (messages ".assert (> 1 2), \"too small\""))
  (test "without a message" '("1:9 what was asserted is false") (messages ".assert 0"))
  (test "counts when the layout is known" '()
        (messages (lines ".assert (= 0x10003 (address \"end\")), \"moved\"" "jump x" "nop" "end:" "x:")))
  (test ".error" '("2:1 not for this machine") (messages (lines "nop" ".error \"not for this machine\"")))
  (test "a warning is shown, and the program made"
        (lines "t.s:1:1: warning: old" "    .warning \"old\"" "    ^")
        (warnings-of (lambda () (asm-string (lines ".warning \"old\"" "nop") name: "t.s"))))
  (test "or it is an error" "t.s:2:1: warning: old\n    .warning \"old\"\n    ^\n"
        (parameterize ((asm-warnings-as-errors #t)) (errors "nop\n.warning \"old\""))))

(test-group "numeric labels"
  (test "the nearest before and behind" (bytes "01 0a08 0a05 0a04 0a03 01")
        (code (lines "1: nop" "jump 1f" "jump 1b" "1:" "jump 2f" "2: jump 1b" "nop")))
  (test "are not among the program's symbols" '(("a" . 65536)) (symbols (lines "a: 1: nop" "jump 1b")))
  (test "of several digits, and in lists" (bytes "0a04 0a00 01")
        (code (lines "(list (list 'jump \"12f\") (label \"12\") (list 'jump \"12b\"))" "nop")))
  (test "none before" '("1:6 there is no label `1:` before this place, which `1b` means") (messages "jump 1b\n1: nop"))
  (test "none behind" '("2:6 there is no label `1:` behind this place, which `1f` means") (messages "1: nop\njump 1f"))
  (test "digits only" #t
        (and (string-contains (car (messages "1a: nop")) "numeric labels are digits only") #t))
  (test "0b1 is still a number" (bytes "03 01 01 0a00") (code (lines "imm r1, 0b1" "0: jump 0b"))))

(test-group "labels that begin with .L"
  (test "belong to the label before them" (bytes "01 0a00 01 0a00 01")
        (code (lines "a: nop" ".Lx: jump .Lx" "b: nop" ".Lx: jump .Lx" "nop")))
  (test "and not to the next" '("3:11 the label `.Lx` is not defined")
        (map (lambda (message) (car (string-split message #\()))
             (messages (lines "a: nop" ".Lx: nop" "b:   jump .Lx"))))
  (test "are not among the program's symbols" '(("a" . 65536)) (symbols (lines "a: nop" ".Lx: nop")))
  (test "twice behind one label is an error" '("3:1 the label `.Lx` is defined already")
        (messages (lines "a: nop" ".Lx: nop" ".Lx: nop"))))

(test-group "labels of macros"
  (test "are fresh in every expansion" (bytes "01 0a01 01 0a01")
        (code (lines "(define (spin) (with-labels (again) (list (label again) 1 (list 'jump again))))" "(spin)" "(spin)")))
  (test "and never those of the source" (bytes "0a04 01 0a01 01")
        (code (lines "(define (spin) (with-labels (again) (list (label again) 1 (list 'jump again))))"
                     "again: jump 1f" "1: (spin)" "nop" ))))
