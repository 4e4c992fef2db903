;; Programs of the Simple VM into images: each instruction becomes a few of Comet's, one behind the other, in one
;; window. Jumps to addresses in registers, and ret, go through a table of all instructions.

(module scheme-lib/loaders/simple-vm/translate)
(use scheme-lib/util)
(use scheme-lib/image)
(use scheme-lib/loaders/emitter)
(use scheme-lib/loaders/simple-vm/instructions)
(use scheme-lib/loaders/simple-vm/program)
(use scheme-lib/loaders/simple-vm/layout)

(define read-only 1)
(define read-write 3)
(define read-execute 5)

;; What translating needs to know: where to put code, the program, and the label of its table.
(define-type translation emitter program)

(define (emit t . instruction) (apply emit! (translation-emitter t) instruction))
(define (label t label) (emit-label! (translation-emitter t) label))
(define (emit-trap t name) (emit t 'trap (trap-code name)))

(define (entry t) (program-entry (translation-program t)))
(define (instruction-count t) (program-instructions (translation-program t)))

;; Labels that nobody else uses.
(define (fresh t) (list 'at (emitter-address (translation-emitter t))))

;; Traps unless the branch, an instruction without its target, is taken.
(define (unless-branch t trap . branch)
  (let ((on (fresh t)))
    (apply emit t (append branch (list on)))
    (emit-trap t trap)
    (label t on)))

;; ---- jumps -------------------------------------------------------------------------------------------

;; To an address that is known. The one behind the last instruction is where a program ends that runs on.
(define (jump-label t address)
  (let ((distance (- address (entry t))))
    (and (= 0 (modulo distance 4)) (<= 0 distance (* 4 (instruction-count t))) (quotient distance 4))))

;; `jump`, an instruction without its target, to the Simple VM's address; a trap where that is none.
(define (emit-jump t address . jump)
  (let ((target (jump-label t address)))
    (if target (apply emit t (append jump (list target))) (emit-trap t 'jump))))

;; To the address in scratch 0. `commit` emits what is done once the target is known to be good.
(define (emit-computed-jump t commit)
  (let ((bad (fresh t)) (good (list 'good (emitter-address (translation-emitter t)))))
    (emit t 'addi32 (scratch 0) (scratch 0) (- (entry t)))
    (emit t 'andi (scratch 1) (scratch 0) 3)
    (emit t 'shri32_u (scratch 0) (scratch 0) 2)
    (emit t 'bnei (scratch 1) 0 bad)
    (emit t 'blti_u (scratch 0) (+ 1 (instruction-count t)) good)
    (label t bad)
    (emit-trap t 'jump)
    (label t good)
    (commit)
    (emit t 'jtab (scratch 0) (+ 1 (instruction-count t)) 'table)))

;; ---- instructions ------------------------------------------------------------------------------------

;; Each procedure gets the translation, the address of the instruction, and its operands: registers as those of Comet.
(define rules (make-table test: eq?))

(define (rule! name procedure) (table-set! rules name procedure))

(define (operation! name comet) (rule! name (lambda (t pc a b to) (emit t comet to a b))))
(define (comparison! name comet) (rule! name (lambda (t pc a b) (emit t comet equal-register a b))))
(define (reversed! name comet) (rule! name (lambda (t pc a b) (emit t comet equal-register b a))))

(for-each operation! '(add sub mul and or xor addf64 subf64 mulf64 divf64)
          '(add32 sub32 mul32 and or xor fadd fsub fmul fdiv))
(for-each comparison! '(eq neq lt lte ltf64 ltef64) '(eq ne lt32_s le32_s flt fle))
(for-each reversed! '(gt gte gtf64 gtef64) '(lt32_s le32_s flt fle))

(rule! 'load (lambda (t pc to n) (emit t 'imm to n)))
(rule! 'loadf64 (lambda (t pc to n) (emit t 'imm to n) (emit t 'cvt_f64_s64 to to)))
(rule! 'lui (lambda (t pc to n) (emit t 'shli32 to to 16) (emit t 'ori to to n)))
(rule! 'inc (lambda (t pc r) (emit t 'addi32 r r 1)))
(rule! 'dec (lambda (t pc r) (emit t 'addi32 r r -1)))
(rule! 'not (lambda (t pc from to) (emit t 'xori to from #xffffffff)))
(rule! 'nop (lambda (t pc) (emit t 'nop)))

;; The remainder first: the quotient may go to where an operand is.
(rule! 'div
  (lambda (t pc a b to)
    (emit t 'rem32_s (scratch 0) a b)
    (emit t 'div32_s to a b)
    (emit t 'mov remainder-register (scratch 0))))

(define (shift-count n) (if (= n 0) 16 (modulo n 32)))
(rule! 'shl (lambda (t pc r n) (emit t 'shli32 r r (shift-count n))))
(rule! 'shr (lambda (t pc r n) (emit t 'shri32_s r r (shift-count n))))

;; Equal is what differs by less than the distance from 1 to the next number, unequal what differs by more.
(define epsilon-bits #x3cb0000000000000)
(define (difference t a b)
  (emit t 'fsub (scratch 0) a b)
  (emit t 'fabs (scratch 0) (scratch 0))
  (emit t 'imm (scratch 1) epsilon-bits))
(rule! 'eqf64 (lambda (t pc a b) (difference t a b) (emit t 'flt equal-register (scratch 0) (scratch 1))))
(rule! 'neqf64 (lambda (t pc a b) (difference t a b) (emit t 'flt equal-register (scratch 1) (scratch 0))))

(rule! 'hlt (lambda (t pc) (emit t 'halt)))
(rule! 'igl (lambda (t pc) (emit t 'jump 'illegal)))

(define (no-commit) #f)
(rule! 'jmp (lambda (t pc r) (emit t 'mov (scratch 0) r) (emit-computed-jump t no-commit)))
;; Relative jumps count from behind the operand.
(rule! 'jmpf (lambda (t pc r) (emit t 'addi32 (scratch 0) r (+ pc 2)) (emit-computed-jump t no-commit)))
(rule! 'jmpb
  (lambda (t pc r)
    (emit t 'imm (scratch 0) (+ pc 2))
    (emit t 'sub32 (scratch 0) (scratch 0) r)
    (emit-computed-jump t no-commit)))
(rule! 'jmpe
  (lambda (t pc r)
    (emit t 'beqi equal-register 0 (quotient (+ 4 (- pc (entry t))) 4))
    (emit t 'mov (scratch 0) r)
    (emit-computed-jump t no-commit)))

;; Branches over what the condition is for, so that a target that is none traps only where it is gone to.
(define (emit-conditional-jump t pc address register action)
  (emit t 'beqi register 0 (quotient (+ 4 (- pc (entry t))) 4))
  (action)
  (emit-jump t address 'jump))
(rule! 'djmpe (lambda (t pc address) (emit-conditional-jump t pc address equal-register no-commit)))
(rule! 'cloop (lambda (t pc n) (emit t 'imm counter-register n)))
(rule! 'loop
  (lambda (t pc address)
    (emit-conditional-jump t pc address counter-register
      (lambda () (emit t 'addi counter-register counter-register -1)))))

;; ---- memory ------------------------------------------------------------------------------------------

(rule! 'aloc
  (lambda (t pc r)
    (let ((grown (list 'grown pc)))
      (emit t 'sext32 (scratch 0) r)
      (emit t 'add (scratch 0) (scratch 0) heap-register)
      (unless-branch t 'heap 'blti_u (scratch 0) (+ 1 heap-limit))
      ;; What is given back is zeros when it is got again.
      (emit t 'bge_u (scratch 0) heap-register grown)
      (emit t 'sub (scratch 1) heap-register (scratch 0))
      (emit t 'addi (scratch 2) (scratch 0) heap-address)
      (emit t 'bfill (scratch 2) 0 (scratch 1))
      (label t grown)
      (emit t 'mov heap-register (scratch 0)))))

(define (check-heap t offset)
  (emit t 'addi (scratch 0) offset 4)
  (unless-branch t 'memory 'bge_u heap-register (scratch 0)))
(rule! 'loadm (lambda (t pc offset to) (check-heap t offset) (emit t 'ldu32 to offset heap-address)))
(rule! 'setm (lambda (t pc offset value) (check-heap t offset) (emit t 'st32 offset value heap-address)))

(define (push! t register)
  (emit t 'stx32 stack-base-register stack-register register)
  (emit t 'addi stack-register stack-register 1))
(rule! 'push
  (lambda (t pc r)
    (unless-branch t 'full 'blti_u stack-register stack-words)
    (push! t r)))
(rule! 'pop
  (lambda (t pc to)
    (unless-branch t 'empty 'bnei stack-register 0)
    (emit t 'addi stack-register stack-register -1)
    (emit t 'ldxu32 to stack-base-register stack-register)))
(rule! 'call
  (lambda (t pc address)
    (unless-branch t 'full 'blti_u stack-register (- stack-words 1))
    (if (jump-label t address)
        (begin
          (emit t 'imm (scratch 0) (+ pc 4))
          (push! t (scratch 0))
          (push! t frame-register)
          (emit t 'mov frame-register stack-register)))
    (emit-jump t address 'jal link-register)))
;; The frame may be any number that a subroutine has put where it was kept.
(rule! 'ret
  (lambda (t pc)
    (emit t 'addi (scratch 2) frame-register -2)
    (unless-branch t 'empty 'blti_u (scratch 2) (- stack-words 1))
    (emit t 'ldxu32 (scratch 0) stack-base-register (scratch 2))
    (emit t 'addi (scratch 3) (scratch 2) 1)
    (emit-computed-jump t
      (lambda ()
        (emit t 'ldxu32 frame-register stack-base-register (scratch 3))
        (emit t 'mov stack-register (scratch 2))))))

;; ---- output ------------------------------------------------------------------------------------------

(rule! 'prts
  (lambda (t pc offset)
    (let* ((data (program-data (translation-program t)))
           (end (and (< offset (u8vector-length data)) (u8vector-index data 0 offset))))
      (if (not end)
          (emit-trap t 'string)
          (begin
            (emit t 'imm (scratch 0) (+ program-address header-length offset))
            (emit t 'imm (scratch 1) (- end offset))
            (emit t 'jal link-register 'print))))))

(define imports '("exit" "write"))
(define exit-call 0)
(define write-call 1)

;; Writes scratch 1 bytes at scratch 0. A part may be written at a time; where nothing can be, the program ends.
(define (emit-print t)
  (label t 'print)
  (emit t 'beqi (scratch 1) 0 'printed)
  (emit t 'imm (+ host-register 1) 1)
  (emit t 'mov (+ host-register 2) (scratch 0))
  (emit t 'mov (+ host-register 3) (scratch 1))
  (emit t 'hcall host-register write-call)
  (emit t 'blti_s (+ host-register 1) 1 'illegal)
  (emit t 'add (scratch 0) (scratch 0) (+ host-register 1))
  (emit t 'sub (scratch 1) (scratch 1) (+ host-register 1))
  (emit t 'jump 'print)
  (label t 'printed)
  (emit t 'jumpr link-register))

(define (emit-exit t)
  (label t 'illegal)
  (emit t 'imm (+ host-register 1) 1)
  (emit t 'hcall host-register exit-call))

;; ---- programs ----------------------------------------------------------------------------------------

;; The operands of an instruction as the rules take them; #f: a register is none.
(define (operands instruction code at)
  (let loop ((kinds (instruction-operands instruction)) (n 1) (found '()))
    (if (null? kinds)
        (reverse found)
        (let ((byte (u8vector-ref code (+ at n))))
          (define (register number) (and (< byte 32) (loop (cdr kinds) (+ n 1) (cons number found))))
          (case (car kinds)
            ((#\r) (register (integer-register byte)))
            ((#\f) (register (float-register byte)))
            ((#\c) (loop (cdr kinds) (+ n 1) (cons byte found)))
            (else (loop (cdr kinds) (+ n 2) (cons (+ (* 256 byte) (u8vector-ref code (+ at n 1))) found))))))))

(define (emit-instruction t n)
  (let* ((code (program-code (translation-program t)))
         (instruction (instruction-by-opcode (u8vector-ref code (* 4 n))))
         (operands (operands instruction code (* 4 n))))
    (label t n)
    (if operands
        (apply (table-ref rules (instruction-name instruction)) t (+ (entry t) (* 4 n)) operands)
        (emit-trap t 'register))))

(define (table-address file-length) (+ program-address (* 8 (quotient (+ file-length 7) 8))))

(define (table-bytes t first)
  (let* ((count (instruction-count t)) (bytes (make-u8vector (* 4 (+ count 2)) 0)))
    (u8vector-set-le! bytes 0 4 count)
    (for-each (lambda (n)
                (u8vector-set-le! bytes (* 4 (+ n 1)) 4
                                  (bitwise-and #xffffffff (- (emitter-label-address (translation-emitter t) n) first))))
              (iota (+ count 1)))
    bytes))

(define-documented (program->image program)
  "The image of a program of the Simple VM."
  (let* ((e (make-emitter code-address))
         (t (make-translation e program))
         (file (program->bytes program))
         (table (table-address (u8vector-length file)))
         (count (program-instructions program)))
    (emit t 'imm stack-base-register stack-address)
    (emit t 'imm heap-register heap-start)
    (for-each (lambda (n) (emit-instruction t n)) (iota count))
    (label t count)
    (emit t 'jump 'illegal)
    (emit-exit t)
    (emit-print t)
    (emit-label-at! e 'table (+ table 4))
    (make-image
     entry: code-address
     sections: (list (vector "code" code-address (emitter-code e) #f read-execute)
                     (vector "simple-vm" program-address file #f read-only)
                     (vector "table" table (table-bytes t (+ table 4)) #f read-only)
                     (vector "stack" stack-address (u8vector) (* 4 stack-words) read-write)
                     (vector "heap" heap-address (u8vector) heap-limit read-write))
     symbols: (append
               (map (lambda (symbol)
                      (vector (car symbol)
                              (if (eq? (cadr symbol) 'code)
                                  (emitter-label-address e (quotient (- (cddr symbol) (program-entry program)) 4))
                                  (+ program-address header-length (cddr symbol)))))
                    (program-symbols program))
               (list (vector "simple-vm.exit" (emitter-label-address e 'illegal))
                     (vector "simple-vm.print" (emitter-label-address e 'print))
                     (vector "simple-vm.table" table)))
     ;; What prepares the machine belongs to the first line.
     lines: (map (lambda (line n) (apply vector (if (= n 0) code-address (emitter-label-address e n)) (cdr line)))
                 (program-lines program)
                 (iota (length (program-lines program))))
     imports: imports)))
