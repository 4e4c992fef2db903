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
        (lines "t.s:3:1: error: the labels do not settle: after 100 passes they still move, because Scheme code gives something else in each pass"
               "    x: nop"
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
