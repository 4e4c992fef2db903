;; Programs that were made for another machine, in that machine's words, by what its loader knows of it, see
;; scheme-lib/loaders. Each procedure gives #f where there is nothing to say; an image that only looks like a guest's is
;; no mistake of the person who looks at it.

(module debugger/guest)
(use scheme-lib/util)
(use scheme-lib/machine)
(use scheme-lib/loaders/loader)
(use debugger/session)
(use debugger/target)

(define (symbol name) (machine-symbol (the-machine) name))
(define (register n) (target-register (text "r" n)))

(define (the-guest) (and (session-machine (the-session)) (guest-of symbol)))

(define (ask part . arguments)
  (let ((guest (the-guest)))
    (and guest
         (with-exception-catcher
          (lambda (exception) #f)
          (lambda () (apply (part guest) arguments))))))

;; Where a Comet instruction is in the guest's program, as text.
(define (guest-place address) (ask guest-pc symbol target-read address))

;; The guest's instruction that begins at a Comet instruction, as text.
(define (guest-instruction-at address) (ask guest-instruction symbol target-read address))

;; What a trap means there.
(define (guest-trap-at stop) (and (eq? (stop-trap stop) 'user) (ask guest-trap (stop-address stop))))

;; ((name . text) …)
(define (guest-register-rows) (ask guest-registers symbol target-read register))
