;; Values into fields. A field is an unsigned number of at most 64 bits that is written as ULEB128; what it
;; means depends on the kind of the operand, a letter of the instruction table.
;;
;;   (encode-field #\i -1 entry)             => 1
;;   (join-fields entry '(1 2 1) '#(0 …) 0)  => the bytes of the instruction
(module asm/encode)
(use scheme-lib/util)
(use scheme-lib/leb128)
(use asm/number)
(use asm/isa)
(use asm/diagnostic)
(use asm/statement)
(declare (standard-bindings) (extended-bindings) (block))

;; A real number given by its bits, for those that have no decimal: (bits #x7ff0000000000000).
(define-type bits value)

;; Register numbers end below this; the machine's own limit is far lower.
(define register-limit (expt 2 32))
(define thread-register-limit 16)
(define import-limit (expt 2 32))

(define (expected entry kind . found)
  (fail "`" (isa-entry-name entry) "` expects " (isa-kind-words kind) ", found " (apply text found)))

(define (check-64 entry kind value)
  (if (not (exact-integer? value)) (expected entry kind (operand->text value)))
  (if (not (integer-64? value))
      (fail "the number " value " does not fit into 64 bits (-2^63 to 2^64-1)")))

(define (check-below entry kind value limit)
  (if (not (exact-integer? value)) (expected entry kind (operand->text value)))
  (if (or (< value 0) (>= value limit))
      (expected entry kind (operand->text value) ": expected 0 to " (- limit 1))))

;; The field of a value. p is not here: it needs to know where the instruction stands.
(define (encode-field kind value entry)
  (case kind
    ((#\d #\s #\x #\w)
     (check-below entry kind value register-limit)
     value)
    ((#\i #\o)
     (check-64 entry kind value)
     (zigzag (signed-64 value)))
    ((#\u #\c)
     (check-64 entry kind value)
     (unsigned-64 value))
    ((#\n)
     (check-64 entry kind value)
     (if (< value 0)
         (fail "`" (isa-entry-name entry) "` uses its number negated: write " (- value) " instead of " value))
     value)
    ((#\t)
     (check-below entry kind value thread-register-limit)
     value)
    ((#\h)
     (check-below entry kind value import-limit)
     value)
    ((#\f) (encode-real value 52 11 8 entry kind))
    ((#\g) (encode-real value 23 8 4 entry kind))
    ;; beyond tests: a table of instructions that is newer than this file
    (else (fail "operand kind " kind " of `" (isa-entry-name entry) "` is not known to this assembler"))))

(define (encode-real value significand-bits exponent-bits size entry kind)
  (let ((all (cond ((bits? value)
                    (check-below entry kind (bits-value value) (expt 256 size))
                    (bits-value value))
                   ((real? value) (real->bits (real-value value) significand-bits exponent-bits))
                   ((and (number? value) (##real? value))
                    (real->bits value significand-bits exponent-bits))
                   (else (expected entry kind (operand->text value))))))
    (byte-swap all size)))

(define (encode-relative target address entry)
  (check-64 entry #\p target)
  (zigzag (signed-64 (unsigned-64 (modulo (- target address) 18446744073709551616)))))

;; ---- operands of text that are known at once -----------------------------------------------------------

;; The field of an operand, or #f when it depends on the pass: names, forms, and what is relative.
(define (constant-field kind operand entry)
  (cond ((or (name? operand) (form? operand) (target? operand)) #f)
        ((memv kind '(#\d #\s #\x #\w))
         (cond ((and (register? operand) (char=? (register-letter operand) #\r))
                (if (>= (register-number operand) register-limit)
                    (fail "there is no register " (register->text operand) ": they are r0 to r"
                          (- register-limit 1)))
                (register-number operand))
               (else
                (expected entry kind (operand->text operand) (immediate-hint entry operand)))))
        ((char=? kind #\t)
         (if (and (register? operand) (char=? (register-letter operand) #\t))
             (encode-field kind (register-number operand) entry)
             (expected entry kind (operand->text operand) ": thread registers are t0 to t15")))
        ((register? operand)
         (expected entry kind (operand->text operand) (register-hint entry)))
        ((text-literal? operand)
         (expected entry kind (operand->text operand)))
        ((char=? kind #\p) #f)
        (else (encode-field kind operand entry))))

;; Most instructions that take registers have a sibling that takes a number, and the other way round.
(define (immediate-hint entry operand)
  (let ((sibling (if (string=? (isa-entry-name entry) "mov")
                     "imm"
                     (string-append (isa-entry-name entry) "i"))))
    (if (and (number? operand) (isa-find sibling))
        (text "; `" sibling "` takes a number")
        "")))

(define (register-hint entry)
  (let* ((name (isa-entry-name entry))
         (last (- (string-length name) 1))
         (sibling (substring name 0 last)))
    (if (and (char=? (string-ref name last) #\i) (isa-find sibling))
        (text "; `" sibling "` takes a register")
        "")))

;; ---- fields to bytes -----------------------------------------------------------------------------------

(define (fields-length fields)
  (let loop ((fields fields) (length 0))
    (if (null? fields) length (loop (cdr fields) (fx+ length (uleb128-length (car fields)))))))

;; The bytes of an instruction in at least `least` bytes: the fields from the last on are made longer than
;; they need be, up to ten bytes each.
(define (join-fields entry fields least)
  (let* ((opcode (isa-entry-opcode-bytes entry))
         (opcode-length (u8vector-length opcode))
         (natural (fx+ opcode-length (fields-length fields)))
         (size (if (fx< natural least)
                   (fxmin least (fx+ opcode-length (fx* 10 (length fields))))
                   natural))
         (bytes (make-u8vector size)))
    (subu8vector-move! opcode 0 opcode-length bytes 0)
    (let loop ((fields fields) (at opcode-length) (padding (fx- size natural)))
      (if (null? fields)
          bytes
          ;; What the fields behind this one can take up of the padding is left to them.
          (let* ((own (uleb128-length (car fields)))
                 (room-behind (fx- (fx* 10 (length (cdr fields))) (fields-length (cdr fields))))
                 (here (fxmax 0 (fx- padding room-behind))))
            (loop (cdr fields)
                  (uleb128-put! bytes at (car fields) (fx+ own here))
                  (fx- padding here)))))))

;; The bytes of an instruction of which all fields are known.
(define (constant-bytes entry fields)
  (join-fields entry fields 0))
