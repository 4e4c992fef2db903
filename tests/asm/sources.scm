;; Sources of several files, and what the command line gives them.
(use scheme-lib/util)
(use scheme-lib/test)
(use asm/assembler)
(use asm/settings)
(use asm/statement)
(use asm/reader)
(use asm/tables)

(define folder (string-append (temporary-path "comet-vm-test") "/"))
(create-directory folder)
(create-directory (string-append folder "more"))

(define (put! name content)
  (write-file-bytes (string-append folder name) (if (string? content) (string->utf8 content) content)))

(define (assemble name)
  (asm-file (string-append folder name)))

(define (hex-of name)
  (u8vector->hex (program-section-bytes (car (program-sections (assemble name))))))

;; The errors as one text, without the folder's name.
(define (file-errors name)
  (string-replace (errors-of (lambda () (assemble name))) folder ""))

(put! "main.s" (lines "nop" ".include \"part.s\"" "jump part"))
(put! "part.s" (lines ".include \"more/inner.s\"" "part: add r1, r2, r3"))
(put! "more/inner.s" (lines "(define (twice x) (list x x))" ".include \"beside.s\""))
(put! "more/beside.s" (lines "(twice 7)"))
(put! "data.bin" '#u8(1 2 3 4 5))

(test-group "included files"
  (test "stand in the place of the directive, each beside the file that names it"
        (bytes "01 07 07 33 01 02 03 0a 07") (hex-of "main.s"))
  (test "are in the line table by name"
        '(("main.s" . 1) ("more/beside.s" . 1) ("part.s" . 2) ("main.s" . 3))
        (map (lambda (line) (cons (string-replace (vector-ref line 1) folder "") (vector-ref line 2)))
             (program-lines (assemble "main.s"))))
  (test "are looked for in the search path behind that" (bytes "07 07")
        (begin
          (put! "path.s" (lines ".include \"inner.s\""))
          (parameterize ((asm-include-path (list "/nowhere" (string-append folder "more")))) (hex-of "path.s"))))
  (test "that are missing are an error which names the folders"
        (lines "missing.s:2:10: error: there is no file `no.s` in , /lib/; -I names more folders"
               "    .include \"no.s\""
               "             ^")
        (begin
          (put! "missing.s" (lines "nop" ".include \"no.s\""))
          (parameterize ((asm-include-path '("/lib"))) (file-errors "missing.s"))))
  (test "have their errors in their own lines, with the way there"
        (lines "wrong.s:2:1: error: there is no instruction `ad` (did you mean `add` or `and`?)"
               "    ad r1, r2, r3"
               "    ^"
               "  note: included from outer.s:1:1")
        (begin
          (put! "wrong.s" (lines "nop" "ad r1, r2, r3"))
          (put! "outer.s" (lines ".include \"wrong.s\""))
          (file-errors "outer.s")))
  (test "errors of reading have it too" #t
        (begin
          (put! "unreadable.s" (lines "add r1"))
          (put! "outer2.s" (lines "nop" "  .include \"unreadable.s\""))
          (string-suffix? "  note: included from outer2.s:2:3\n" (file-errors "outer2.s"))))
  (test "and so have errors of Scheme"
        (lines "scheme.s:1:1: error: Scheme: (Argument 1) PAIR expected (car 5)"
               "    (f 5)"
               "    ^"
               "  note: in `f`, define.s:2:9")
        (begin
          (put! "define.s" (lines "(define (f x)" "  (list (car x)))" ".include \"scheme.s\""))
          (put! "scheme.s" (lines "(f 5)"))
          (string-replace (file-errors "define.s") "  note: included from define.s:3:1\n" "")))
  (test "a label that two files define" #t
        (begin
          (put! "twice.s" (lines "a: nop" ".include \"again.s\""))
          (put! "again.s" (lines "a: nop"))
          (and (string-contains (file-errors "twice.s") "first defined in twice.s:1:1") #t)))
  (test "that include themselves are an error"
        (lines "b.s:1:10: error: `.include` goes in a circle: a.s is being read already"
               "    .include \"a.s\""
               "             ^"
               "  note: included from a.s:2:1")
        (begin
          (put! "a.s" (lines "nop" ".include \"b.s\""))
          (put! "b.s" (lines ".include \"a.s\""))
          (file-errors "a.s")))
  (test "bytes that are no text" #t
        (begin
          (put! "bad.s" '#u8(110 255))
          (put! "outer3.s" (lines ".include \"bad.s\""))
          (string-prefix? "bad.s:1:2: error: the byte 0xff is not part of UTF-8 text" (file-errors "outer3.s"))))
  (test "need a name" "1:1 `.include` expects the name of a file, such as .include \"strings.s\""
        (car (messages ".include strings")))
  (test "do not come from Scheme" #t
        (and (string-contains (car (messages "(list '.include \"a.s\")")) "cannot come from Scheme") #t)))

(test-group "long sources"
  ;; What makes a line take a few bytes of memory.
  (let ((source (read-source "long.s" (apply string-append (map (lambda (n) (text "addi r1, r2, " n "\n")) (iota 5000))))))
    (test "5000 plain lines are a few statements" #t (< (vector-length (source-statements source)) 10))
    (test "and each keeps its place" '(5000 1)
      (let ((last (car (reverse (statement-list source)))))
        (list (statement-line last) (statement-column last)))))
  (test "instructions far to the right, and far below the one before" '((1 300) (503 2))
    (map (lambda (line) (list (vector-ref line 2) (vector-ref line 3)))
         (program-lines (asm-string (string-append (make-string 299 #\space) "nop" (make-string 502 #\newline) " nop")))))
  (test "each of many instructions that find no room is told of at its place"
    '((3 1) (4 2))
    (map (lambda (diagnostic) (list (asm-diagnostic-line diagnostic) (asm-diagnostic-column diagnostic)))
         (with-exception-catcher asm-error-diagnostics
           (lambda () (asm-string "nop\n.bss\nnop\n add r1, r2, r3\n"))))))

(test-group "bytes of files"
  (test "all, from an offset, and some" (bytes "01 02 03 04 05 03 04 05 02 03")
        (begin
          (put! "bin.s" (lines ".incbin \"data.bin\"" ".incbin \"data.bin\", 2" ".incbin \"data.bin\", 1, 2"))
          (hex-of "bin.s")))
  (test "beside the included file that names them" (bytes "04")
        (begin
          (put! "more/one.bin" '#u8(4))
          (put! "more/bin.s" ".incbin \"one.bin\"")
          (put! "outer4.s" ".include \"more/bin.s\"")
          (hex-of "outer4.s")))
  (test "beyond the end" #t
        (begin
          (put! "beyond.s" (lines ".incbin \"data.bin\", 4, 2"))
          (and (string-contains (file-errors "beyond.s")
                                "which has 5 bytes: the offset is 4 and the length 2")
               #t)))
  (test "of what is no file" #t
        (and (string-contains (errors ".incbin \"/dev/zero\"") "there is no file `/dev/zero`") #t))
  (test "of a missing file" #t
        (begin
          (put! "missing.s" (lines ".incbin \"none.bin\""))
          (and (string-contains (file-errors "missing.s") "there is no file `none.bin`") #t))))

(test-group "definitions from outside"
  (test "are symbols and Scheme variables" (bytes "03 01 08 03 02 06")
        (parameterize ((asm-definitions '(("size" . 4))))
          (code (lines "imm r1, (* 2 size)" "imm r2, (+ 2 (address \"size\"))"))))
  (test "may be strings" (bytes "61 62")
        (parameterize ((asm-definitions '(("name" . "ab")))) (code "(list '.ascii name)")))
  (test "are read from words" '(("a" . 1) ("b" . -16) ("c" . "x=y") ("d" . "") ("e" . "1.5") #f #f)
        (map definition-of-word '("a" "b=-0x10" "c=x=y" "d=" "e=1.5" "=5" "1a")))
  (test "may be changed by .set" (bytes "05")
        (parameterize ((asm-definitions '(("x" . 4)))) (code (lines ".set x, 5" ".byte x"))))
  (test "but not defined again" '("1:1 the label `x` is defined already" "first defined on the command line")
        (parameterize ((asm-definitions '(("x" . 4))))
          (append (messages ".equ x, 5") (notes ".equ x, 5"))))
  (test "cannot be instructions" #t
        (parameterize ((asm-definitions '(("add" . 4))))
          (and (string-contains (errors "nop") "`add` cannot be defined from outside") #t))))

(shell-command (string-append "rm -r " folder))
