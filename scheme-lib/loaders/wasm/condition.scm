;; A comparison whose result nobody else reads, because it is the open instruction and its result the operand on top,
;; can be turned round, or become part of the branch that it decides.
(module scheme-lib/loaders/wasm/condition)
(use scheme-lib/loaders/wasm/code)
(use scheme-lib/loaders/wasm/function)
(declare (standard-bindings) (extended-bindings) (block) (inlining-limit 300))

(define largest (- (expt 2 63) 1))

;; The constant one higher, as a field; #f at the ends of both number lines.
(define (one-more field)
  (let ((c (unzigzag field))) (and (not (= c largest)) (not (= c -1)) (zigzag (+ c 1)))))
(define (one-less field)
  (let ((c (unzigzag field))) (and (not (= c (- -1 largest))) (not (= c 0)) (zigzag (- c 1)))))

;; opcode -> procedure of the operands b and c, which gives the opposite comparison (op b c), or #f
(define opposites (make-vector 1024 #f))
;; opcode -> procedure of b, c and whether to branch when it holds, which gives (op first second), or #f
(define branches (make-vector 1024 #f))

(define (opposite! name other #!optional (second (lambda (c) c)))
  (let ((other (opcode other)))
    (vector-set! opposites (opcode name)
                 (lambda (b c) (let ((c (second c))) (and c (list other b c)))))))

(define (opposite-swapped! name other)
  (let ((other (opcode other)))
    (vector-set! opposites (opcode name) (lambda (b c) (list other c b)))))

(for-each
 (lambda (pair) (opposite! (car pair) (cadr pair)) (opposite! (cadr pair) (car pair)))
 '((eq ne) (eqi nei) (feq fne) (feq32 fne32)))
(for-each
 (lambda (pair) (opposite-swapped! (car pair) (cadr pair)) (opposite-swapped! (cadr pair) (car pair)))
 '((lt_u le_u) (lt_s le_s) (lt32_s le32_s)))
(for-each
 (lambda (pair) (opposite! (car pair) (cadr pair) one-less) (opposite! (cadr pair) (car pair) one-more))
 '((lti_u gti_u) (lti_s gti_s) (lti32_s gti32_s)))

(define (branch-form! name when unless #!optional (form (lambda (op b c) (list op b c))))
  (let ((when (opcode when)) (unless (opcode unless)))
    (vector-set! branches (opcode name) (lambda (b c sense) (form (if sense when unless) b c)))))

(define (swapped op b c) (list op c b))
(define (one-more-second op b c) (let ((c (one-more c))) (and c (list op b c))))

(branch-form! 'eq 'beq 'bne)
(branch-form! 'ne 'bne 'beq)
(branch-form! 'eqi 'beqi 'bnei)
(branch-form! 'nei 'bnei 'beqi)
(branch-form! 'lt_u 'blt_u 'bge_u)
(branch-form! 'lt_s 'blt_s 'bge_s)
(branch-form! 'lt32_s 'blt32_s 'bge32_s)
(branch-form! 'le_u 'bge_u 'blt_u swapped)
(branch-form! 'le_s 'bge_s 'blt_s swapped)
(branch-form! 'le32_s 'bge32_s 'blt32_s swapped)
(branch-form! 'lti_u 'blti_u 'bgei_u)
(branch-form! 'lti_s 'blti_s 'bgei_s)
(branch-form! 'gti_u 'bgei_u 'blti_u one-more-second)
(branch-form! 'gti_s 'bgei_s 'blti_s one-more-second)
(branch-form! 'feq 'bfeq 'bfne)
(branch-form! 'fne 'bfne 'bfeq)
(branch-form! 'flt 'bflt 'bfnlt)
(branch-form! 'fle 'bfle 'bfnle)

;; Of 32-bit comparisons with constants, those with 0: r0 is the other operand.
(define op:blt32_s (opcode 'blt32_s))
(define op:bge32_s (opcode 'bge32_s))
(define (with-zero! name constant order)
  (let ((before (vector-ref branches (opcode name))))
    (vector-set! branches (opcode name)
      (lambda (b c sense)
        (if (= constant (unzigzag c))
            (order b sense)
            (and before (before b c sense)))))))
(define (below-zero b sense) (list (if sense op:blt32_s op:bge32_s) b 0))
(define (above-zero b sense) (list (if sense op:blt32_s op:bge32_s) 0 b))
(with-zero! 'lti32_s 0 below-zero)
(with-zero! 'gti32_s 0 above-zero)
(with-zero! 'gti32_s -1 (lambda (b sense) (below-zero b (not sense))))
(with-zero! 'lti32_s 1 (lambda (b sense) (above-zero b (not sense))))

;; Turns the open instruction into the opposite comparison, if it is one that writes `register`.
(define (invert-last! code register)
  (let* ((form (and (last-writes? code register) (vector-ref opposites (code-op code))))
         (opposite (and form (form (code-b code) (code-c code)))))
    (and opposite
         (begin (take-pending! code)
                (emit! code (car opposite) register (cadr opposite) (caddr opposite))
                #t))))

(define op:bnei (opcode 'bnei))
(define op:beqi (opcode 'beqi))

;; Branches when the operand that was popped from a height is not zero, or is, as SENSE says.
(define (branch-when! f height sense label)
  (let* ((code (function-code f))
         (register (register! f height))
         (form (and (= register (home f height)) (last-writes? code register) (vector-ref branches (code-op code))))
         (branch (and form (form (code-b code) (code-c code) sense))))
    (if branch
        (begin (take-pending! code)
               (branch! code (car branch) (cadr branch) (caddr branch) label))
        (branch! code (if sense op:bnei op:beqi) register (zigzag 0) label))))
