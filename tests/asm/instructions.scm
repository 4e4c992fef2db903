;; Every instruction of the table: encoded, and disassembled back into text that makes the same bytes.
(use scheme-lib/util)
(use scheme-lib/test)
(use vm-ext/gambit/vm)
(use asm/assembler)

;; Texts for an operand of each kind, the smallest and the largest among them.
(define (operand-texts kind)
  (case kind
    ((#\d #\s #\x #\w) '("r0" "r1" "r127" "r128" "r4294967295"))
    ((#\u #\c) '("0" "1" "127" "128" "0xffffffffffffffff"))
    ((#\n) '("0" "1" "127" "128" "0xffffffffffffffff"))
    ((#\i #\o) '("0" "-1" "63" "-65" "9223372036854775807" "-9223372036854775808"))
    ((#\p) '("0x10000" "0x10001" "0" "0xffffffffffffffff" "0x12345678" "0x8000000000000000"))
    ((#\t) '("t0" "t15"))
    ((#\h) '("0" "1" "300"))
    ((#\f) '("0.0" "-0.0" "1.0" "-1.5" "1e-300" "5e-324" "0.1" "(bits 0x7ff0000000000000)"
             "(bits 0xfff8000000000001)"))
    ((#\g) '("0.0" "-0.0" "1.0" "-1.5" "1e-30" "0.1" "(bits 0x7f800000)" "(bits 0xffc00001)"))
    (else (error "a kind of operand that these tests do not know:" kind))))

;; Lines in which each operand takes each of its texts.
(define (instruction-lines name kinds)
  (let ((texts (map operand-texts (string->list kinds))))
    (map (lambda (i)
           (string-append
            name " "
            (string-join (map (lambda (choices) (list-ref choices (modulo i (length choices)))) texts) ", ")))
         (iota (apply max 1 (map length texts))))))

(define (disassembled bytes)
  (let ((result (vm-disassemble bytes #x10000)))
    (if (= (car result) (u8vector-length bytes))
        (cdr result)
        (text "only " (car result) " of " (u8vector-length bytes) " bytes: " (cdr result)))))

(test-group "every instruction"
  (vector-for-each
   (lambda (instruction)
     (let ((name (symbol->string (vector-ref instruction 0)))
           (kinds (vector-ref instruction 2)))
       (for-each
        (lambda (line)
          (let ((bytes (asm line at: #x10000)))
            (test line (u8vector->hex bytes) (u8vector->hex (asm (disassembled bytes) at: #x10000)))))
        (instruction-lines name kinds))
       (test (string-append name " decodes as itself")
             (list (vector-ref instruction 0) kinds)
             (let ((decoded (vm-decode (asm (car (instruction-lines name kinds)) at: #x10000))))
               (list (vector-ref decoded 0) (vector-ref decoded 1))))))
   (vm-isa)))
