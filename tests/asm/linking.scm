;; Objects and the linker: what is linked is what one assembly would have made, and every mistake is told with
;; all its places.
(use scheme-lib/test)
(use scheme-lib/util)
(use scheme-lib/image)
(use asm/assembler)
(use asm/reader)
(use asm/statement)
(use vm-ext/gambit/vm)

(define root (path-expand "../../" (path-directory (path-expand (this-source-file)))))
(define (example name) (path-expand (text "examples/" name ".s") root))

(define (through-bytes object)
  (bytes->object (object->bytes object) (object-name object)))

;; The image that the library makes of objects and archives.
(define (linked-by-library inputs entry)
  (let ((linker (vm-linker-new)))
    (for-each (lambda (input)
                (if (object? input)
                    (vm-linker-add linker (object-name input) (object->bytes input))
                    (vm-linker-add linker (archive-name input) (archive->bytes input))))
              inputs)
    (image->bytes (vm-linker-link linker entry))))

(define (refused? thunk)
  (with-exception-catcher
   (lambda (exception) (or (vm-error? exception) (asm-error? exception) (raise exception)))
   (lambda () (thunk) #f)))

;; What the linker makes of inputs; the library makes the same of them, to the byte, or refuses them as well.
(define (link-twice inputs #!key (entry #f))
  (if (refused? (lambda () (link inputs entry: entry)))
      (if (not (refused? (lambda () (linked-by-library inputs entry)))) (error "the library links what the linker refuses")))
  (let ((result (link inputs entry: entry)))
    (if (not (equal? (image->bytes (program-image (link-program result))) (linked-by-library inputs entry)))
        (error "the library links this to another image"))
    result))

;; Objects of sources, named as (name . lines).
(define (objects . sources)
  (map (lambda (source)
         (through-bytes (asm-object-string (apply lines (cdr source)) name: (car source))))
       sources))

(define (linked . sources)
  (link-program (link-twice (apply objects sources))))

(define (link-errors . sources)
  (errors-of (lambda () (link-twice (apply objects sources)))))

;; Everything but lines, which say where text stands.
(define (shape program)
  (list (map (lambda (section)
               (list (program-section-name section) (program-section-address section)
                     (u8vector->hex (program-section-bytes section))
                     (program-section-memory-length section) (program-section-protection section)))
             (program-sections program))
        (program-symbols program)
        (program-imports program)
        (program-entry program)))

(define (section-hex program name)
  (u8vector->hex
   (program-section-bytes
    (find (lambda (section) (string=? name (program-section-name section))) (program-sections program)))))

;; ---- one object --------------------------------------------------------------------------------------

(define example-names
  '("hello" "count" "fib" "sieve" "wc" "queens" "sha256" "mandelbrot" "life" "calculator"))

(test-group "an example that is linked has the image of one that is assembled, to the byte"
  (for-each
   (lambda (name)
     (test name
       (u8vector->hex (image->bytes (program-image (asm-file (example name)))))
       (u8vector->hex
        (image->bytes
         (program-image (link-program (link-twice (list (through-bytes (asm-object-file (example name)))))))))))
   example-names))

(test-group "lines, expansions, views and instructions of one's own go through objects"
  (let* ((main '("(define-instruction (twice (to d) (from s)) (add to from from))"
                 "(view \"pair\" '(record 16 (a u64) (b u64 8)))"
                 "(define (inner r) (list addi r r 1))"
                 "(define (outer r) (list (inner r) (list nop)))"
                 ".global other"
                 "_start: imm r1, 5"
                 "        (outer r1)"
                 "        twice r2, r1"
                 "        call r10, other"
                 "        halt"))
         (other '("(view \"place\" '(array 2 u32))"
                  "(define (thrice r) (list (list addi r r 2) (list 'twice r r)))"
                  "other:  (thrice r1)"
                  "        ret"))
         (define-twice (car main))
         (whole (program-image (asm-string (apply lines (append main other)) name: "t.s")))
         (together (program-image (apply linked (list (cons* "t.s" main)
                                                      (cons* "u.s" ".global other" define-twice other))))))
    (test "the bytes" (map (lambda (section) (u8vector->hex (vector-ref section 2))) (image-sections whole))
      (map (lambda (section) (u8vector->hex (vector-ref section 2))) (image-sections together)))
    (test "views of both" (image-views whole) (image-views together))
    (test "one definition of what both define" (map (lambda (each) (vector-ref each 0)) (image-definitions whole))
      (map (lambda (each) (vector-ref each 0)) (image-definitions together)))
    (test "as many lines, at the same addresses" (map (lambda (line) (vector-ref line 0)) (image-lines whole))
      (map (lambda (line) (vector-ref line 0)) (image-lines together)))
    (test "each in its own source" '("t.s" "u.s")
      (delete-duplicates (map (lambda (line) (vector-ref line 1)) (image-lines together))))
    (test "macros in macros, and those of the second source"
      '(("outer" "t.s") ("inner" "t.s") ("outer" "t.s") ("thrice" "u.s") ("thrice" "u.s"))
      (map (lambda (each) (list (vector-ref each 1) (vector-ref each 2))) (image-expansions together)))
    (test "the same macros at the same addresses"
      (map (lambda (each) (list (vector-ref each 0) (vector-ref each 1))) (image-expansions whole))
      (map (lambda (each) (list (vector-ref each 0) (vector-ref each 1))) (image-expansions together)))
    (test-error "two views of one name" "has another view already"
      (linked '("t.s" "(view \"pair\" 'u64)" "nop") '("u.s" "(view \"pair\" 'u32)" "nop")))))

;; ---- pieces ------------------------------------------------------------------------------------------

(define (labels-of object)
  (filter-map (lambda (part)
                (let ((symbol (and (eq? 'label (car (part-what part)))
                                   (vector-ref (object-symbols object) (cadr (part-what part))))))
                  (and symbol (not (object-symbol-hidden? symbol)) (object-symbol-name symbol))))
              (object-parts object)))

(define (form-head statement)
  (and (eq? 'form (statement-kind statement))
       (let ((form (##desourcify (form-datum (statement-operands statement)))))
         (if (and (eq? 'include (car form)) (string-prefix? "lib/" (cadr form))) 'library (car form)))))

(define (named-directive? statement names)
  (and (eq? 'directive (statement-kind statement)) (member (statement-head statement) names)))

(define (definition? statement)
  (or (memq (form-head statement) '(define define-macro include)) (named-directive? statement '(".equ"))))

(define (section-name-of statement)
  (and (named-directive? statement '(".text" ".rodata" ".data" ".bss")) (statement-head statement)))

;; A source is cut before each label.
(define (cut? statement)
  (and (eq? 'label (statement-kind statement))
       (not (string-prefix? "." (symbol->string (statement-head statement))))))

;; Lists of statement numbers, each with the section where it begins.
(define (pieces statements)
  (let loop ((i 0) (section ".text") (begin-section "") (piece '()) (pieces '()))
    (define (with-last) (if (null? piece) pieces (cons (cons begin-section (reverse piece)) pieces)))
    (if (= i (vector-length statements))
        (reverse (with-last))
        (let* ((statement (vector-ref statements i))
               (section-now (or (section-name-of statement) section)))
          (if (cut? statement)
              (loop (+ i 1) section-now section (list i) (with-last))
              (loop (+ i 1) section-now begin-section (cons i piece) pieces))))))

;; An object of some of a source's statements, behind the definitions that stand before them; all labels are
;; global.
(define (piece-object path labels piece number)
  (let* ((source (read-source path (read-file-text path)))
         (statements (source-statements source))
         (before (filter (lambda (i) (definition? (vector-ref statements i))) (iota (cadr piece))))
         (start (read-source "start" (text ".global " (string-join labels) "\n" (car piece) "\n")))
         (object (assemble-to-object
                  (make-source (source-file source)
                               (list->vector (append (vector->list (source-statements start))
                                                     (map (lambda (i) (vector-ref statements i))
                                                          (append before (cdr piece)))))
                               '() (source-registers source) (source-assigned source) '()))))
    (object-name-set! object (text path "." number))
    (through-bytes object)))

(define (objects-of-pieces path)
  (let ((labels (labels-of (asm-object-file path)))
        (pieces (pieces (source-statements (read-source path (read-file-text path))))))
    (map (lambda (piece number) (piece-object path labels piece number)) pieces (iota (length pieces)))))

(test-group "an example in pieces, an object each, is linked to the image of the whole, to the byte"
  (for-each
   (lambda (name)
     (let ((objects (objects-of-pieces (example name))))
       (test-assert (text name " has several pieces") (> (length objects) 1))
       (test (text name ", " (length objects) " pieces")
         (u8vector->hex (image->bytes (program-image (asm-file (example name)))))
         (u8vector->hex (image->bytes (program-image (link-program (link-twice objects))))))))
   example-names))

;; ---- what goes through objects -----------------------------------------------------------------------

;; One source, assembled; and as an object, linked.
(define (both . source)
  (let ((assembled (shape (asm-string (apply lines source))))
        (linked (shape (apply linked (list (cons "one.s" source))))))
    (if (equal? assembled linked) 'same (list assembled linked))))

(test-group "a field of every kind is fitted by the linker as by the assembler"
  (for-each
   (lambda (source) (test source 'same (both "x: nop" source ".zero 100" "y: nop" ".data" "z: .byte 1")))
   '("imm r1, z" "addi r1, r1, x" "ldu8 r1, r2, z" "jump y" "beqi r1, 0, y"
     "simm r1, (- (address \"z\") (address \"x\"))"
     "hcall r10, write" ".byte (- (address \"y\") (address \"x\"))"
     ".half (- (address \"y\") (address \"x\"))"
     ".word z" ".quad z" ".uleb128 z" ".sleb128 (- (address \"x\") (address \"z\"))"
     ".zero (- (address \"y\") (address \"y\") -3)" ".align 64" ".org (+ (address \"x\") 90)"
     ".fill (quotient (address \"z\") 60000), 2, 7"
     "(delay-address (- (here) (address \"x\")) 2)" "(delay-address (address \"y\"))"
     "(list 'imm 'r1 (delay-address (- (address \"y\") (here))))"
     "(address \"z\")"
     ".equ q, (+ 1 (address \"y\"))\n imm r1, q" "imm r1, q\n.equ q, (+ 1 (address \"y\"))"
     "q = z\n imm r1, q\n q = y\n imm r1, q"
     "(symbol! \"q\" (* 2 (address \"y\")))\n imm r1, q"
     "jump 1f\n.zero 300\n1: jump 1b" ".Lq: jump .Lq"
     "imm r1, (- (here) (address \"x\"))" "jump 0x20000" "imm r1, size\n.equ size, 300")))

(test-group "arithmetic with addresses waits for the linker"
  (for-each
   (lambda (form) (test form 'same (both "x: nop" (text "imm r1, " form) ".data" ".zero 9" "z: .byte 1")))
   '("(+ (address \"z\") 1 (address \"x\"))" "(- (- (address \"x\") (address \"z\")))"
     "(* 3 (- (address \"z\") 5))"
     "(* (address \"z\") (address \"x\"))" "(quotient (address \"z\") 7)" "(quotient (- (address \"z\")) 7)"
     "(remainder (- (address \"z\")) 7)" "(modulo (- (address \"z\")) 7)" "(modulo (address \"z\") -7)"
     "(arithmetic-shift (address \"z\") -4)" "(arithmetic-shift (address \"z\") 4)"
     "(bitwise-and (address \"z\") 255)" "(bitwise-ior (address \"z\") 255)"
     "(bitwise-xor (address \"z\") 255)"
     "(bitwise-not (address \"z\"))" "(abs (- (address \"x\") (address \"z\")))"
     "(min (address \"x\") (address \"z\") 5)"
     "(max (address \"x\") (address \"z\"))" "(/ (* 2 (address \"z\")) 2)" "(/ (- (address \"z\") 9) 65536)"
     "(if (number? (address \"z\")) (address \"z\") 0)" "(if (eq? (address \"z\") 'no) 1 (address \"z\"))"))
  (test "a distance that no linking changes is a number" "010203"
    (section-hex (linked '("a.s" ".rodata" "a: .byte 1, 2" "b:"
                           "(if (= 2 (- (address \"b\") (address \"a\"))) 3 4)"))
                 ".rodata"))
  (test "and whether a number is known can be asked" "0102"
    (section-hex (linked '("a.s" ".rodata"
                           "(list '.byte (if (known? 5) 1 0) (if (known? (address \"x\")) 1 2))"
                           ".text" "x: nop"))
                 ".rodata")))

(define (object-errors . source)
  (errors-of (lambda () (asm-object-string (apply lines source) name: "t.s"))))

(define (says? expected text)
  (or (and (string-contains text expected) #t) text))

(test-group "what cannot wait is an error where it stands"
  (for-each
   (lambda (pair) (test (car pair) #t (says? (cdr pair) (object-errors "x: jump y" (car pair) "y: nop"))))
   '(("imm r1, (if (> (address \"y\") 5) 1 2)"
      . "t.s:2:9: error: `>` asks about y, which is known only when the program is linked")
     ("(if (equal? (address \"x\") (address \"y\")) 1 2)" . "`equal?` asks about x")
     ("imm r1, (vector-ref (vector 1) (address \"y\"))"
      . "`vector-ref` cannot compute with y, which is known only")
     ("imm r1, (+ 1/2 (address \"y\"))" . "needs integers, found 1/2")
     (".if (address \"y\")\n.endif" . "t.s:2:5: error: this condition decides now, but y is known only")
     (".rept y\nnop\n.endr" . "`.rept` expects a number from 0 to 1048576, found the address y")
     (".incbin \"t\", y" . "there is no file `t`")
     (".align y" . "`.align` needs its number now, but y is known only when the program is linked")
     ("add r1, (address \"y\"), r2" . "`add` expects a register (read), found the address y")
     ("(define (f n x) (if (= n 0) x (f (- n 1) (bitwise-xor 1 (* x (address \"y\")))))) (f 900 1)"
      . "what is computed with this address has more than 1000 parts, more than an object keeps")
     (".global .Lq" . "`.Lq` is a local label, which has no meaning elsewhere")
     (".global x\n.local x" . "`x` cannot be both global and local")
     (".section .q \"rw\", 65536, kep"
      . "`.section` knows the word keep behind the address, found the name `kep`")
     (".local gone" . "the label `gone` is not defined, but `.local` says that it is this object's own")
     ("jump 1f" . "there is no label `1:` behind this place"))))

(test-group "a value that does not fit is told where its operand stands"
  (for-each
   (lambda (pair)
     (test (car pair) #t
       (says? (cdr pair) (link-errors (list "a.s" "x: nop" (car pair) "y: nop" ".data" "z: nop")))))
   '((".byte z" . "a.s:2:7: error: the number 131072 does not fit into 8 bits")
     ("imm r1, (/ (+ 1 (address \"z\")) 2)" . "a.s:2:9: error: the quotient 131073/2 is no integer")
     ("imm r1, (quotient 1 (- (address \"z\") 131072))" . "a.s:2:9: error: division by zero")
     ("imm r1, (arithmetic-shift 1 (address \"z\"))" . "a shift by 131072 bits gives no number of 64 bits")
     ("imm r1, (* 0x1000000000000 (address \"z\"))"
      . "a.s:2:9: error: the number 36893488147419103232 does not fit")
     (".equ q, (arithmetic-shift (address \"z\") 4085)"
      . "the value of (arithmetic-shift z 4085) has more than 4096 bits")
     (".org x" . "`.org` cannot go back")
     (".assert (< (address \"z\") 5), \"too big\"" . "a.s:2:9: error: too big"))))

;; ---- symbols -----------------------------------------------------------------------------------------

(test-group "symbols of several objects"
  (test "global ones meet" '("_start" "f")
    (map car (program-symbols (linked '("a.s" "_start: call r10, f") '("b.s" ".global f" "f: ret")))))
  (test "others do not" '(("_start" . 65536) ("x" . 65538) ("x@b.s" . 65542) ("x@b.s.2" . 65543))
    (program-symbols (linked '("a.s" "_start: jump x" "x: nop")
                             '("b.s" "jump x" "nop" "x: nop") '("b.s" "x: nop"))))
  (test "constants of one name and value are one" '(("size" . 64))
    (program-symbols (linked '("a.s" ".equ size, 64") '("b.s" ".equ size, 64"))))
  (test "a global definition wins over a weak one, wherever it stands" "0a0a0a06010a00"
    (section-hex (linked '("a.s" "jump f" "jump f" ".weak f" "f: nop")
                         '("b.s" ".globl f" "f: jump f")) ".text"))
  (test "of weak ones, the first counts" "0a04010a0101"
    (section-hex (linked '("a.s" "jump f" ".weak f" "f: nop") '("b.s" "jump f" ".weak f" "f: nop")) ".text"))
  (test "a weak symbol that nothing defines is 0" "030100"
    (section-hex (linked '("a.s" ".weak f" "imm r1, f")) ".text"))
  (test "in one source too" "030100" (code ".weak f\nimm r1, f\n"))
  (test "a weak constant is looked up by the linker" "030107"
    (section-hex (linked '("a.s" ".weak n" ".equ n, 5" "imm r1, n")
                         '("b.s" ".global n" ".equ n, 7")) ".text"))
  (test "values of other objects enter into values" "030183f8ff0f"
    (section-hex (linked '("a.s" ".extern n" ".equ m, (+ (address \"n\") 3)" "imm r1, m")
                         '("b.s" ".global n" "n = 0x1fffc00"))
                 ".text"))
  (test "host calls are numbered in the order of their use" '("write" "exit" "read")
    (program-imports (linked '("a.s" "hcall r1, write" "hcall r1, exit")
                             '("b.s" "hcall r1, exit" "hcall r1, read")))))

(test-error "a linked program has no listing"
  "a linked program has no listing: list the sources of its objects"
  (program-listing (linked '("a.s" "nop"))))

(test-group "what a source says of places holds"
  (test "the entry" 65539
    (program-entry (linked '("a.s" "_start: nop") '("b.s" ".entry x" "jump x" "x: nop"))))
  (test "unless another is asked for" 65536
    (program-entry (link-program (link-twice (objects '("a.s" "f: nop") '("b.s" ".entry x" "jump x" "x: nop"))
                                 entry: "f"))))
  (test "the address of a section" 'same
    (both ".section .q \"rw\", 0x50000" ".word 1" ".text" "imm r1, (here)"))
  (test "instructions that the source defines" 'same
    (both "(define-instruction (twice (to d) (from s)) (add to from from))" "twice r1, r2" "(list 'twice 3 4)"
          "(define-instruction (near (to d) (place p)) (imm to 5) (jump place))" "x: near r3, x"))
  (test "they must be the same in all objects" #t
    (says? "b.s: error: the instruction `twice` (opcode"
           (link-errors '("a.s" "(define-instruction (twice (to d) (from s)) (add to from from))"
                              "twice r1, r2")
                        '("b.s" "(define-instruction (twice (to d) (from s)) (mul to from from))"
                              "twice r1, r2"))))
  (test "what macros made" 'same
    (let ((source (lines "(define (twice x) (list (list 'imm 'r1 x) (list 'imm 'r2 x)))"
                         "x: (twice (address \"x\"))")))
      (let ((assembled (program-expansions (asm-string source name: "a.s")))
            (linked (program-expansions (linked (list "a.s" source)))))
        (if (and (pair? assembled) (equal? assembled linked)) 'same linked)))))

(test-group "objects that only somebody hostile would make"
  (test "values that go round in a circle never settle" #t
    (says? "because values are computed from one another in a circle or a long chain"
           (link-errors '("a.s" ".global x" ".equ x, (+ 1 (address \"y\"))" ".byte x")
                        '("b.s" ".global y" ".equ y, (+ 1 (address \"x\"))"))))
  (test "nor do they hang where sections are dropped" '()
    (program-symbols
     (link-program (link (objects '("a.s" "nop" ".assert (= (address \"a\") (address \"a\"))"
                                    ".global a" ".equ a, (* (address \"b\") (address \"b\"))")
                                  '("b.s" ".global b" ".equ b, (* (address \"c\") (address \"c\"))")
                                  '("c.s" ".global c" ".equ c, (+ 1 (address \"d\"))" ".data" ".global d" "d: nop"))
                         drop?: #t))))
  (for-each
   (lambda (pair)
     (test (car pair) #t (says? (cdr pair) (link-errors (list "a.s" "x: nop" (car pair))))))
   '((".zero (* (address \"x\") (address \"x\") (address \"x\"))" . "expects a size of 0 to 1073741824")
     (".fill (* (address \"x\") (address \"x\")), 8" . "`.fill`")
     (".org (* (address \"x\") (address \"x\") (address \"x\"))" . "`.org`")
     (".zero (* 256 (address \"x\") 65536)\n.byte 1" . "1073741824"))))

(test-group "symbols that are not there, or twice"
  (test "all places that use it, and a near name"
    (lines "a.s:2:12: error: the label `lop` is not defined in any object (did you mean `loop`?)"
           "  note: also used in a.s:3:9, in a.s"
           "  note: also used in a.s:4:13, in a.s"
           "  note: also used in b.s:1:7, in b.s")
    (link-errors '("a.s" ".global loop" "loop: jump lop" "imm r1, (+ 1 (address \"lop\"))" "beqi r1, 0, lop")
                 '("b.s" ".quad lop")))
  (test "one that another object has for itself"
    (lines "a.s:1:6: error: the label `f` is not defined in any object"
           "  note: there is one in b.s:2:1, in b.s, where `.global f` is missing")
    (link-errors '("a.s" "jump f") '("b.s" "nop" "f: ret")))
  (test "all definitions"
    (lines "b.s:2:1: error: the label `f` is defined already; one of them can be .weak or not .global"
           "  note: first defined in a.s:2:1, in a.s"
           "  note: defined again in c.s:3:1, in c.s")
    (link-errors '("a.s" ".global f" "f: nop") '("b.s" ".global f" "f: nop")
                 '("c.s" ".global f" "nop" "f: nop")))
  (test "an entry" "link: error: the entry `strat` is not defined (did you mean `start`?)\n"
    (errors-of (lambda () (link-twice (objects '("a.s" "start: nop")) entry: "strat"))))
  (test "sections that differ in protection" #t
    (says? "the section `.q` has the protection \"r\" already, found \"rw\""
           (link-errors '("a.s" ".section .q \"r\"" ".byte 1") '("b.s" ".section .q \"rw\"" ".byte 1"))))
  (test "nothing at all" "program: error: there is nothing to link\n" (errors-of (lambda () (link-twice '())))))

;; ---- sections ----------------------------------------------------------------------------------------

(test-group "sections that nothing needs are dropped"
  (define (kept . sources)
    (let ((result (link (apply objects sources) drop?: #t)))
      (map (lambda (section) (cons (program-section-name section) (program-section-memory-length section)))
           (program-sections (link-program result)))))
  (test "what the entry reaches stays, through symbols and their values"
    '((".text" . 6) (".rodata" . 1) (".d" . 8))
    (kept '("a.s" ".global _start" "_start: imm r1, x" "nop")
          '("b.s" ".rodata" ".global x" ".equ x, (+ 1 (address \"y\"))" "y: .byte 1" ".data" "z: .byte 1")
          '("c.s" "unused: nop" ".section .d \"r\", keep" ".quad w")
          '("d.s" ".global w" "w = 5" ".text" "nop")))
  (test "symbols and host calls of what is dropped go" '(() ("_start"))
    (let ((program (link-program
                    (link (objects '("a.s" "_start: nop" ".section .u \"rx\"" "v: hcall r1, write"))
                          drop?: #t))))
      (list (program-imports program) (map car (program-symbols program)))))
  (test "without an entry, .text of the first object stays" '((".text" . 1))
    (kept '("a.s" "nop") '("b.s" "nop" "nop")))
  (test "what is not there may be named where it is dropped" '((".text" . 1))
    (kept '("a.s" "_start: nop") '("b.s" "jump nowhere")))
  (test "an assertion needs nothing" '((".text" . 1))
    (kept '("a.s" "_start: nop" ".assert (< (address \"x\") 1)" ".data" "x: .byte 1")))
  (test "what was dropped is told" '(("a.s" . ".data"))
    (link-dropped (link (objects '("a.s" "_start: nop" ".data" ".byte 1")) drop?: #t))))

(test-group "sections of one name are one, aligned as each source says"
  (test "bytes and zeros" '((".data" 65536 "01" 16 "rw"))
    (car (shape (linked '("a.s" ".data" ".byte 1" ".align 8") '("b.s" ".data" ".zero 5")
                        '("c.s" ".data" ".align 8")))))
  (test "code that only speaks of distances is the same wherever it is linked" #t
    (let ((code '("p.s" ".section .p \"rx\"" "f: jump 1f" "imm r1, (- (address \"f\") (here) -9)" "1: jump f"
                      "nop"))
          (section-of (lambda (program) (section-hex program ".p"))))
      (let ((code (reverse (cdr (reverse code)))))
        (equal? (section-of (linked code))
                (section-of (linked (list "a.s" (string-repeat "nop\n" 70000)) code)))))))

;; ---- archives ----------------------------------------------------------------------------------------

(define (archive-of name . sources)
  (make-archive name
                (map (lambda (source)
                       (let ((object (asm-object-string (apply lines (cdr source)) name: (car source))))
                         (make-member (car source) (object->bytes object))))
                     sources)))

(define library
  (archive-of "lib.a"
              '("f.o" ".global f" "f: call r1, g" "ret")
              '("g.o" ".global g" "g: ret")
              '("h.o" ".global h" "h: ret")))

(test-group "of an archive those members take part that others need"
  (test "and what these need in their turn" '(("lib.a(f.o)" "f" "a.s") ("lib.a(g.o)" "g" "lib.a(f.o)"))
    (link-extracted (link-twice (append (objects '("a.s" "_start: call r1, f")) (list library)))))
  (test "wherever the archive stands" '("_start" "f" "g")
    (map car (program-symbols (link-program (link-twice (cons library (objects '("a.s" "_start: call r1, f"))))))))
  (test "a weak reference takes nothing" '("_start")
    (map car (program-symbols (link-program (link-twice (append (objects '("a.s" ".weak f" "_start: call r1, f"))
                                                          (list library)))))))
  (test "the entry may come from there" '(("start.a(s.o)" "_start" #f))
    (link-extracted (link-twice (list (archive-of "start.a" '("s.o" ".global _start" "_start: nop"))))))
  (test "or be named" '(("lib.a(h.o)" "h" #f))
    (link-extracted (link-twice (list library) entry: "h")))
  (test "a member that is no object" #t
    (says? "lib.a(x): error: this member of the archive is no object"
           (errors-of (lambda ()
                        (link-twice (list (make-archive "lib.a" (list (make-member "x" (u8vector 1)))))))))))

(test-group "archives are read and written as ar does"
  (define bytes
    (archive->bytes (make-archive "x" (list (make-member "a.o" (u8vector 1 2 3))
                                            (make-member "a-long-name-of-a-member.o" (u8vector 4))))))
  (test "the layout"
    (string-append "!<arch>\n"
                   "//              0           0     0     100644  27        `\n"
                   "a-long-name-of-a-member.o/\n\n"
                   "a.o/            0           0     0     100644  3         `\n\x1;\x2;\x3;\n"
                   "/0              0           0     0     100644  1         `\n\x4;\n")
    (utf8->string bytes))
  (test "there and back" '("a.o" "a-long-name-of-a-member.o")
    (map member-name (archive-members (bytes->archive bytes "x"))))
  (test "members are replaced where they stand, or join"
    '(("a.o" . 1) ("a-long-name-of-a-member.o" . 1) ("b" . 1))
    (map (lambda (member) (cons (member-name member) (u8vector-length (member-bytes member))))
         (archive-members (archive-with-members (bytes->archive bytes "x")
                                                (list (make-member "b" (u8vector 9))
                                                      (make-member "a.o" (u8vector 9)))))))
  (test "members go" '("a-long-name-of-a-member.o")
    (map member-name (archive-members (archive-without-members (bytes->archive bytes "x") '("a.o")))))
  (for-each
   (lambda (case)
     (test (car case) #t
       (says? (cadr case)
              (errors-of (lambda () (bytes->archive ((caddr case) (u8vector-copy bytes)) "x.a"))))))
   (let ((change (lambda (at string)
                   (lambda (bytes)
                     (subu8vector-move! (string->utf8 string) 0 (string-length string) bytes at)
                     bytes))))
     (list (list "cut" "offset 56: a member of 27 bytes is announced, 0 are left"
                (lambda (bytes) (subu8vector bytes 0 68)))
           (list "cut in a header" "the file ends within the header of a member"
                (lambda (bytes) (subu8vector bytes 0 40)))
           (list "no length" "the length of a member is no number" (change 56 "x"))
           (list "a bad end of a header" "the header of a member does not end as it should" (change 66 "x"))
           (list "a name that is not there" "the long name of a member is not there" (change 161 "99"))
           (list "a name that leads elsewhere" "a member's name, \"../a\", is no file's" (change 96 "../a"))
           (list "something else" "it does not begin as archives do" (change 0 "x"))))))

;; ---- the format --------------------------------------------------------------------------------------

(define sample
  (object->bytes (asm-object-string (lines ".global f" "f: imm r1, (+ 1 (quotient (address \"g\") 3))"
                                           "hcall r1, write"
                                           ".assert (< (address \"g\") 9)" ".data" "g = h" ".equ k, 7"
                                           ".zero 9" ".align 4")
                                    name: "sample.s")))

;; The bytes with some changed, and a right checksum.
(define (changed at . new)
  (let ((bytes (u8vector-copy sample)) (end (- (u8vector-length sample) 8)))
    (subu8vector-move! (list->u8vector new) 0 (length new) bytes at)
    (u8vector-set-le! bytes end 8 (vm-checksum bytes 0 end))
    bytes))

(define (index-of-prefix prefix lines)
  (let loop ((lines lines) (index 0))
    (if (string-prefix? prefix (car lines)) index (loop (cdr lines) (+ index 1)))))

(define (refusal bytes) (errors-of (lambda () (bytes->object bytes "x.o"))))

(test-group "an object is the same bytes each time, there and back"
  (test "sample" (u8vector->hex sample) (u8vector->hex (object->bytes (bytes->object sample "x.o"))))
  (for-each
   (lambda (name)
     (let ((bytes (object->bytes (asm-object-file (example name)))))
       (test name (u8vector->hex bytes) (u8vector->hex (object->bytes (bytes->object bytes "x.o"))))))
   example-names))

(test-group "a damaged object is refused with the place"
  (for-each
   (lambda (case)
     (test (car case) #t
       (says? (string-append "x.o: error: not a valid object: " (car case)) (refusal (cadr case)))))
   (list (list "offset 0: it does not begin as objects do" (u8vector 1 2 3))
         (list "offset 12: the file ends within its header" (subu8vector sample 0 12))
         (list "offset 8: its format has version 2, this program knows version 1" (changed 8 2))
         (list "offset 16: it says that it has " (changed 16 1))
         (list "offset 12: it has 6 chunks, expected 5" (changed 12 6))
         (list "offset 24: the chunk is of type \"GILE\", expected FILE" (changed 24 71))
         (list "offset 32: chunk FILE does not lie behind the one before it" (changed 32 1))
         (list "chunk FILE, offset 145: 72 records are announced" (changed 144 72))
         (list (text "offset " (- (u8vector-length sample) 8) ": the checksum is wrong")
               (let ((bytes (u8vector-copy sample))) (u8vector-set! bytes 145 0) bytes)))))

;; asm/OBJECTS.md shows what is said of the sample where one of its bytes is 9, in two indented lines.
(test "the error that OBJECTS.md shows" #t
  (let* ((page (string-split (utf8->string (read-file-bytes (path-expand "asm/OBJECTS.md" root))) #\newline))
         (first (index-of-prefix "    main.o: error: " page))
         (shown (text (string-trim (list-ref page first)) " " (string-trim (list-ref page (+ first 1))) "\n")))
    (or (any (lambda (at)
               (string=? shown (errors-of (lambda () (bytes->object (changed at 9) "main.o")))))
             (iota (- (u8vector-length sample) 152) 144))
        shown)))

;; Every byte of a small object changed to several others: it is refused or read, and then linked or refused.
(define (outcome bytes)
  (with-exception-catcher
   (lambda (exception) (if (asm-error? exception) 'refused (list 'broken (exception->text exception))))
   (lambda ()
     (refused? (lambda () (let ((linker (vm-linker-new))) (vm-linker-add linker "x.o" bytes) (vm-linker-link linker #f))))
     (let ((object (bytes->object bytes "x.o")))
       (if (refused? (lambda () (link (list object))))
           (refused? (lambda () (linked-by-library (list object) #f)))
           (link-twice (list object))))
     'linked)))

(test-group "whatever a byte of an object is changed to, there is an answer"
  (let ((broken '()))
    (do ((at 144 (+ at 1))) ((= at (- (u8vector-length sample) 8)))
      (for-each (lambda (new)
                  (let ((result (outcome (changed at new))))
                    (if (pair? result) (set! broken (cons (list at new result) broken)))))
                (list 0 1 (modulo (+ 1 (u8vector-ref sample at)) 256) 127 255)))
    (test "changes that broke something" '() broken)))

;; ---- runs --------------------------------------------------------------------------------------------

;; An object of two instructions of three bytes each, whose places are these.
(define (object-with-run line . places)
  (object->bytes
   (make-object "r.o"
                (vector (make-object-section ".text" "rx" #f #f (u8vector 51 1 2 3 51 1 2 3) 8))
                (vector)
                (list (make-part 0 0 0 (list 'run "r.s" line 1 (list->u8vector places))))
                '())))

(define (lines-of-linked object)
  (map (lambda (line) (list (- (vector-ref line 0) 65536) (vector-ref line 2) (vector-ref line 3)))
       (program-lines (link-program (link-twice (list object))))))

(test-group "plain instructions that stand one behind the other are one part of an object"
  (test "however many they are, with the lines of each" '(1 (0 1 1) (7996 2000 1))
    (let ((object (asm-object-string (string-repeat "add r1, r2, r3\n" 2000) name: "a.s")))
      (cons (quotient (length (object-parts object)) 3)
            (let ((lines (lines-of-linked object))) (list (car lines) (list-ref lines 1999))))))
  (test "between other parts" '((0 1 4) (5 3 1) (9 4 3) (13 5 1) (15 6 1))
    (lines-of-linked (asm-object-string (lines "x: imm r1, x" "" "add r1, r2, r3" "  sub r1, r2, r3" "jump x"
                                               "addi r1, r2, 3")
                                        name: "a.s")))
  (test "and there are rows for them" #t
    (says? "lines\n  .text+0x00000000  r.s:7:1\n  .text+0x00000004  r.s:9:5\n"
           (with-captured-output
            (lambda () (binary-objdump (bytes->object (object-with-run 7 4 0 1 4 2 5) "r.o") '(lines))))))
  (test "strip takes them" '()
    (object-parts (bytes->object (binary-strip (object-with-run 7 4 0 1 4 2 5)) "r.o")))
  (for-each
   (lambda (case)
     (test (car case) #t (says? (car case) (refusal (apply object-with-run (cdr case))))))
   '(("it goes beyond the end of its section" 7 4 0 1 5 0 1)
     ("an instruction has no bytes" 7 0 0 1)
     ("an instruction's size is 128, expected less than 128" 7 128 1 0 1)
     ("a number is not in its shortest form" 7 4 128 0 1)
     ("there is no line 0" 0 4 0 1)
     ("there is no line 4294967296" 4294967295 4 1 1)
     ("chunk PART, in a run, offset 1: the chunk ends in the middle of a record" 7 4))))
