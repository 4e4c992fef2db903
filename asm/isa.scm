;; The instruction table as the assembler needs it: by mnemonic, by opcode, and by a stretch of source
;; text. It comes from the machine, through the binding; no opcode is written down here.
;;
;;   (isa-entry-kinds (isa-find "addi"))   => "dsi", a letter for each operand
;;   (isa-entry-name (isa-by-opcode 51))   => "add"
(module asm/isa)
(use scheme-lib/util)
(use vm-ext/gambit/vm)
(use scheme-lib/leb128)
(declare (standard-bindings) (extended-bindings) (block))

(define-type isa-entry
  name          ; a string
  opcode
  kinds         ; a string, one letter an operand, as vm-ext/isa/instructions.def has it
  arity         ; operands
  least-arity   ; operands that must be written: a last operand of kind o may be left out
  opcode-bytes) ; the opcode as ULEB128

(define (->string x)
  (if (symbol? x) (symbol->string x) x))

(define (row->entry row)
  (let* ((kinds (->string (vector-ref row 2)))
         (arity (string-length kinds)))
    (make-isa-entry (->string (vector-ref row 0))
                    (vector-ref row 1)
                    kinds
                    arity
                    (if (and (> arity 0) (char=? (string-ref kinds (- arity 1)) #\o)) (- arity 1) arity)
                    (uleb128-bytes (vector-ref row 1)))))

(define entries (map row->entry (vector->list (vm-isa))))

(define (isa-entries) entries)

(define (isa-mnemonics)
  (map isa-entry-name entries))

;; ---- by opcode ---------------------------------------------------------------------------------------

(define by-opcode (make-table test: eqv?))
(for-each (lambda (entry) (table-set! by-opcode (isa-entry-opcode entry) entry)) entries)

(define (isa-by-opcode opcode)
  (table-ref by-opcode opcode #f))

(define by-first-byte (make-vector 128 #f))
(for-each (lambda (entry)
            (if (< (isa-entry-opcode entry) 128) (vector-set! by-first-byte (isa-entry-opcode entry) entry)))
          entries)

;; The entry of an instruction of the table that begins at an index, its opcode in the shortest encoding.
(define (isa-at bytes index)
  (let ((byte (u8vector-ref bytes index)))
    (if (fx< byte 128)
        (vector-ref by-first-byte byte)
        (isa-by-opcode (fx+ (fx- byte 128) (fx* 128 (u8vector-ref bytes (fx+ index 1))))))))

;; ---- by name -----------------------------------------------------------------------------------------

;; A line of source is looked up without making a string of its mnemonic: buckets by a hash of the
;; characters, each a list of entries.
(define bucket-count 1021)
(define buckets (make-vector bucket-count '()))

(define (hash-range text start end)
  (let loop ((i start) (hash 0))
    (if (fx= i end)
        (fxmodulo hash bucket-count)
        (loop (fx+ i 1)
              (fxand (fx+ (fx* hash 31) (char->integer (string-ref text i))) #xffffff)))))

(for-each
 (lambda (entry)
   (let* ((name (isa-entry-name entry))
          (hash (hash-range name 0 (string-length name))))
     (vector-set! buckets hash (cons entry (vector-ref buckets hash)))))
 entries)

(define (range=? name text start end)
  (and (fx= (string-length name) (fx- end start))
       (let loop ((i 0) (j start))
         (or (fx= j end)
             (and (char=? (string-ref name i) (string-ref text j))
                  (loop (fx+ i 1) (fx+ j 1)))))))

;; The entry whose name is text[start, end), or #f.
(define (isa-find-range text start end)
  (let loop ((bucket (vector-ref buckets (hash-range text start end))))
    (and (pair? bucket)
         (if (range=? (isa-entry-name (car bucket)) text start end)
             (car bucket)
             (loop (cdr bucket))))))

(define (isa-find name)
  (isa-find-range name 0 (string-length name)))

;; The opcode of a mnemonic that must exist.
(define (isa-opcode name)
  (isa-entry-opcode (isa-find name)))

;; ---- names that are none ------------------------------------------------------------------------------

;; What other assemblers call things, with what they are called here.
(define foreign-names
  '(("`imm` loads a number or an address" "li" "la" "lea" "ldi" "movi" "movq")
    ("`jump` goes to a label" "b" "j" "jmp" "goto" "bra")
    ("`ldu64`, `lds32`, `ldu8` … load, by sign and size" "ld" "lw" "lb" "ldr" "load")
    ("`st64`, `st32`, `st8` … store, by size" "st" "sd" "sw" "sb" "str" "store")
    ("`beq`, `bne`, `blt_s` … compare and branch in one" "cmp" "je" "jne" "jz" "jnz" "jl" "jg" "beqz" "bnez")
    ("`hcall` reaches the host: hcall r10, write" "syscall" "ecall" "svc" "int" "sys")
    ("calls need no stack: each has registers of its own" "push" "pop")))

;; What to write instead of a name that is no instruction's, or one of `others`; made to end an error message.
(define (isa-name-hint name #!optional (others '()))
  (let ((known (find (lambda (entry) (member (string-downcase name) (cdr entry))) foreign-names)))
    (if known
        (text "; " (car known))
        (did-you-mean name (append others (isa-mnemonics))))))

;; ---- operand kinds -----------------------------------------------------------------------------------

(define (isa-kind-register? kind)
  (memv kind '(#\d #\s #\x #\w)))

;; What is expected in a field of this kind, in words.
(define (isa-kind-words kind)
  (case kind
    ((#\d) "a register (written)")
    ((#\s) "a register (read)")
    ((#\x) "a register (read and written)")
    ((#\w) "a register, where the window begins")
    ((#\u) "an unsigned number or an address")
    ((#\n) "a number, which is used negated")
    ((#\i) "a signed number")
    ((#\o) "an offset")
    ((#\p) "a label or an address")
    ((#\c) "a shift count")
    ((#\t) "a thread register")
    ((#\h) "the name of a host call")
    ((#\f #\g) "a real number")
    (else "an operand")))
