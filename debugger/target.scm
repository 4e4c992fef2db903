;; The session's machine and thread, as commands see them: what they ask of it is one call each.
;;
;;   (target-pc)  (target-register 'r5)  (target-read #x10000 16)  (target-instruction (target-pc))

(module debugger/target)
(use scheme-lib/util)
(use scheme-lib/leb128)
(use scheme-lib/machine)
(use debugger/session)
(use vm-ext/gambit/vm)

(define (thread) (session-thread (the-session)))
;; To a snapshot; the thread whose turn it is there becomes the session's.
(define (target-restore! snapshot)
  (machine-restore! (the-machine) snapshot)
  (session-thread-set! (the-session) (machine-current-thread (the-machine))))

(define (target-space) (machine-thread-space (the-machine) (thread)))

;; ---- the thread ------------------------------------------------------------------------------------

(define (target-pc) (machine-pc (the-machine) (thread)))
(define (target-pc-set! address) (machine-pc-set! (the-machine) (u64 address) (thread)))
;; Instructions of all threads, by which time is counted.
(define (target-count) (machine-count (the-machine) every-thread))
;; Where the innermost window begins on the register stack.
(define (target-window) (vector-ref (target-activation 0) 2))
(define (target-depth) (machine-depth (the-machine) (thread)))

;; register: r5, t3 or pc, as a symbol or a string; r registers are those of the selected activation.
(define (target-register register)
  (machine-register (the-machine) register (session-level (the-session)) (thread)))
(define (target-register-set! register value)
  (machine-register-set! (the-machine) register (u64 value) (session-level (the-session)) (thread)))

;; Those of the selected activation that are not 0: ((number . value) …).
(define (target-registers) (machine-registers (the-machine) (session-level (the-session)) (thread)))

;; The activation so many calls up, and all of them, innermost first; #(function pc window) each.
(define (target-activation level) (vm-get-activation (machine-handle (the-machine)) (thread) level))
(define (target-activations limit) (map target-activation (iota (min limit (target-depth)))))

;; ---- memory ----------------------------------------------------------------------------------------

(define (target-read address length) (machine-memory (the-machine) (u64 address) length (target-space)))
(define (target-peek address #!optional (size 8)) (machine-peek (the-machine) (u64 address) size (target-space)))
(define (target-write! address bytes) (machine-memory-set! (the-machine) (u64 address) bytes (target-space)))

;; ((address length "rwx") …)
(define (target-regions) (machine-regions (the-machine) (target-space)))

;; Up to `length` bytes from an address, fewer where the mapped pages end.
(define (target-read-prefix address length)
  (let* ((address (u64 address)) (end (min (+ address length) (expt 2 64))) (handle (machine-handle (the-machine))))
    (let loop ((at address))
      (let ((region (and (< at end) (vm-next-region handle (target-space) at))))
        (if (and region (<= (vector-ref region 0) at))
            (loop (if (= 0 (vector-ref region 1)) end (+ (vector-ref region 0) (vector-ref region 1))))
            (target-read address (- (min at end) address)))))))

;; ---- instructions ----------------------------------------------------------------------------------

(define-type instruction
  constructor: make-instruction
  address
  length
  text
  name      ; a symbol, or #f where the bytes are no instruction
  operands  ; the kinds of its fields, one letter each
  fields)   ; behind the opcode, as encoded

(define longest 40)

(define (decoded bytes)
  (with-exception-catcher (lambda (exception) #f) (lambda () (vm-decode bytes 0 (u8vector-length bytes) (machine-handle (the-machine))))))

;; The instruction at an address, or #f where nothing is mapped.
(define (target-instruction address)
  (let ((bytes (target-read-prefix address longest)))
    (and (> (u8vector-length bytes) 0)
         (let ((shown (vm-disassemble bytes (u64 address) 0 (u8vector-length bytes) (machine-handle (the-machine)))) (known (decoded bytes)))
           (make-instruction (u64 address) (car shown) (cdr shown)
                             (and known (vector-ref known 0))
                             (if known (vector-ref known 1) "")
                             (if known (cdr (vector-ref known 3)) '()))))))

;; Where it may go to, when an operand of it is an address; else #f.
(define (instruction-target instruction)
  (let ((index (string-index (instruction-operands instruction) #\p)))
    (and index
         (u64 (+ (instruction-address instruction)
                 (unzigzag (list-ref (instruction-fields instruction) index)))))))

;; ---- stopping places -------------------------------------------------------------------------------

(define (target-breakpoint-set! address) (machine-break! (the-machine) address (target-space)))
(define (target-breakpoint-clear! address) (machine-unbreak! (the-machine) address (target-space)))

;; access: read, write or both. Gives the machine's number for it.
(define (target-watchpoint-set! address length access)
  (machine-watch! (the-machine) address length access (target-space))
  (vector-ref (car (reverse (machine-watchpoints (the-machine)))) 0))
(define (target-watchpoint-clear! number) (machine-unwatch! (the-machine) number))
