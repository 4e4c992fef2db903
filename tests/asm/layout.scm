;; Passes: shortest encodings, growth, and what does not settle.
(use scheme-lib/util)
(use scheme-lib/test)
(use vm-ext/gambit/vm)
(use asm/assembler)

(define (nops n)
  (string-repeat "nop\n" n))

(define (passes source)
  (program-passes (asm-string source)))

(define (size source)
  (u8vector-length (program-section-bytes (car (program-sections (asm-string source))))))

(define (first-bytes n source)
  (substring (code source) 0 (* 2 n)))

(test-group "the layout"
  (test "a source without forward references takes one pass" 1 (passes (lines "x: nop" "jump x")))
  (test "forward by 63 fits into one byte, by 64 takes two" '("0a7e01" "0a8201")
        (list (first-bytes 3 (text "jump x\n" (nops 61) "x:"))
              (first-bytes 3 (text "jump x\n" (nops 62) "x:"))))
  (test "back by 64 fits into one byte, by 65 takes two" '("0a7f" "0a8101")
        (map (lambda (n)
               (let ((hex (code (text "x:\n" (nops n) "jump x"))))
                 (substring hex (* 2 n) (string-length hex))))
             '(64 65)))
  (test "one jump's growth makes another one grow"
        ;; The jump back reaches just as far as one byte allows, while the one forward stays short.
        (+ 3 62 3)
        (size (text "a: jump b\n" (nops 62) "jump a\nb:")))
  (test "an address of another section is followed when that moves" (bytes "03 01 80 80 0c")
        (first-bytes 5 (lines "imm r1, x" ".zero 65536" ".data" "x: .byte 1")))
  (test "a hundred jumps over each other settle in few passes" #t
        (<= (passes (string-append
                     (apply string-append (map (lambda (i) (text "jump l" i "\n")) (iota 100)))
                     (apply string-append (map (lambda (i) (text "l" i ": nop\n")) (iota 100)))))
            6))
  (test "sizes that push each other to and fro are held, with a longer encoding" #t
        ;; The integer is shorter the further away x is, and x is nearer the shorter the integer is.
        (let* ((p (asm-string (lines "(let ((d (- (address \"x\") (here))))"
                                     "  (list (if (> d 101) 1 300) (make-u8vector 100 1)))" "x: nop")))
               (bytes (program-section-bytes (car (program-sections p)))))
          (and (= 65638 (cdr (assoc "x" (program-symbols p))))
               (equal? '(129 0) (list (u8vector-ref bytes 0) (u8vector-ref bytes 1))))))
  (test "a held instruction still means the same" "imm r1, 1"
        (cdr (vm-disassemble
              (program-section-bytes
               (car (program-sections
                     (asm-string (lines "imm r1, (if (> (- (address \"x\") (here)) 103) 1 300)"
                                        "(make-u8vector 100 1)" "x: nop")))))
              65536)))
  (test "labels that never settle are named with their last values"
        (lines "t.s:2:1: error: the labels do not settle: after 100 passes they still move, because this Scheme form gives something else in each pass"
               "    (if (odd? (pass)) (list nop nop) (list nop))"
               "    ^"
               "  note: `x` was 0x00010004 in the pass before, and is 0x00010003 in the last one"
               "  note: `y` was 0x00010005 in the pass before, and is 0x00010004 in the last one")
        (errors (lines "jump x" "(if (odd? (pass)) (list nop nop) (list nop))" "x: nop" "y: jump y")))
  (test "so are labels that come and go" '("`x` was 0x00010002 in the pass before, and is not defined in the last one")
        (notes (lines "jump y" "(if (odd? (pass)) (label \"x\") '())" "y: nop")))
  (test "no more than eight of them"
        '(9 "and 2 more")
        (let ((all (notes (text "jump l0\n(if (odd? (pass)) (list nop nop) (list nop))\n"
                                (apply string-append (map (lambda (i) (text "l" i ": nop\n")) (iota 10)))))))
          (list (length all) (list-ref all 8)))))

;; ---- chains of branches ------------------------------------------------------------------------------

;; Jumps to so many labels, and the labels; label i stands before jump i.
(define (jumps targets)
  (apply string-append
         (map (lambda (target i) (text "l" i ": jump l" target "\n")) targets (iota (length targets)))))

;; Each reaches just over the next ones, and the last ones go far.
(define (chain count)
  (text (jumps (append (map (lambda (i) (+ i 31)) (iota count)) (make-list 32 (+ count 32))))
        ".zero 100\nl" (+ count 32) ": halt\n"))

(define (zigzag-length n) (if (< -65 n 64) 1 (if (< -8193 n 8192) 2 3)))

;; The addresses of the labels where every jump is as short as can be: the least sizes that have room for what they
;; say, found by making larger what is too small until nothing is.
(define (least-addresses targets)
  (let* ((count (length targets)) (targets (list->vector targets)) (sizes (make-vector count 2)))
    (define (addresses)
      (let ((at (make-vector (+ count 1) 65536)))
        (do ((i 0 (+ i 1))) ((= i count) at)
          (vector-set! at (+ i 1) (+ (vector-ref at i) (vector-ref sizes i))))))
    (let loop ()
      (let ((at (addresses)) (grown? #f))
        (do ((i 0 (+ i 1))) ((= i count))
          (let ((size (+ 1 (zigzag-length (- (vector-ref at (vector-ref targets i)) (vector-ref at i))))))
            (if (> size (vector-ref sizes i))
                (begin
                  (vector-set! sizes i size)
                  (set! grown? #t)))))
        (if grown? (loop) (vector->list at))))))

(define (label-addresses source count)
  (let ((symbols (program-symbols (asm-string source))))
    (map (lambda (i) (cdr (assoc (text "l" i) symbols))) (iota count))))

(test-group "what grows because other things grew is found between passes"
  (test "a chain of jumps" '(4 . 1997)
    (let ((program (asm-string (chain 600))))
      (cons (program-passes program)
            (u8vector-length (program-section-bytes (car (program-sections program)))))))
  (test "with the bytes of its ends" '("0aba01" "0ace01")
    (let ((hex (code (chain 600)))) (list (substring hex 0 6) (substring hex (* 6 631) (* 6 632)))))
  (test "of instructions that macros make" 4
    (passes (string-append "(define (to n) (list 'jump (string-append \"l\" (number->string n))))\n"
                           (apply string-append
                                  (map (lambda (i) (text "l" i ": (to " (if (< i 300) (+ i 31) 332) ")\n")) (iota 332)))
                           ".zero 100\nl332: halt\n")))
  (test "with code in between that is aligned" 5
    (passes (text (string-join (map (lambda (i) (text "l" i ": jump l" (if (< i 600) (+ i 30) 632) "\n"))
                                    (iota 632))
                               (text ".align 2\n"))
                  ".zero 100\nl632: halt\n")))
  (test "in objects" '(4 . 1997)
    (let ((program (link-program (link (list (asm-object-string (chain 600) name: "a.s"))))))
      (cons (program-passes program)
            (u8vector-length (program-section-bytes (car (program-sections program)))))))
  (let ((random (let ((source (make-random-source)))
                  (random-source-pseudo-randomize! source 7 7)
                  (random-source-make-integers source))))
    (do ((round 0 (+ round 1))) ((= round 12))
      ;; Mostly where one more byte matters, forwards, backwards and both.
      (let* ((count (+ 100 (random 200)))
             (targets (map (lambda (i)
                             (let ((distance (if (= 0 (random 20)) (random count) (+ 29 (random 4)))))
                               (max 0 (min count
                                           (if (= 0 (random (+ 1 (modulo round 3)))) (+ i distance) (- i distance))))))
                           (iota count))))
        (test (text "the least sizes that there can be, " round) (least-addresses targets)
          (label-addresses (text (jumps targets) "l" count ": halt\n") (+ count 1)))))))

(test-group "sections at addresses of their own"
  (test "stand there, and those behind them follow"
        '(("a" 1048576 "01") (".data" 1114112 "02"))
        (layout (lines ".section a \"rx\", 0x100000" ".byte 1" ".data" ".byte 2")))
  (test "so that labels in them are known" (bytes "0a 808008")
        (cadr (cdr (car (layout (lines "jump there" ".section far \"rx\", 0x20000" "there: nop"))))))
  (test "may be named again" "0103"
        (caddr (car (layout (lines ".section a \"rw\", 0x100000" ".byte 1" ".data" ".byte 2"
                                   ".section a \"rw\", 0x100000" ".byte 3")))))
  (test "but not elsewhere"
        '("2:18 the section `a` begins at 0x00100000 already, found 0x00200000")
        (messages (lines ".section a \"rw\", 0x100000" ".section a \"rw\", 0x200000")))
  (test "nor where the assembler has placed them"
        '("2:22 the section `.data` begins at an address that the assembler gives already, found 0x00100000")
        (messages (lines ".data" ".section .data \"rw\", 0x100000")))
  (test "must not meet"
        '("2:1 the section `b` at 0x00100001 shares addresses with the section `a`: place it elsewhere")
        (messages (lines ".section a \"rw\", 0x100000\n.section b \"rw\", 0x100001\n.byte 1\n.section a\n.quad 1")))
  (test "nor share a page that is protected otherwise"
        '("2:1 the section `b` at 0x00100080 shares a page, which has one protection, with the section `a`: place it elsewhere")
        (messages (lines ".section a \"rw\", 0x100000\n.section b \"rx\", 0x100080\n.byte 1\n.section a\n.quad 1")))
  (test "nor end behind the address space"
        '("1:1 the section `a` at 0xffffffffffffffff ends behind the address space: place it elsewhere")
        (messages (lines ".section a \"rw\", 0xffffffffffffffff" ".byte 1, 2")))
  (test "an address that is none" '("1:18 `.section` expects an address of 0 to 2^64-1, found -1")
        (messages ".section a \"rw\", -1")))

(test-group "the entry"
  (test "is where .entry says" 65537 (program-entry (asm-string (lines "_start: nop" "a: nop" ".entry a"))))
  (test "and may be anywhere" 5 (program-entry (asm-string (lines ".entry 5" "nop"))))
  (test "one place" '("1:1 `.entry` expects a label or an address, where the program begins, found 2 operands")
        (messages ".entry 1, 2")))
