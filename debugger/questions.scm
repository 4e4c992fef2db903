;; Questions about the past of the program. Nothing has to be prepared: the past is run again and observed.
;; They look from where the machine stands to the start of the timeline, and leave it there.
;;
;;   (last-write 'r5)                  who gave r5 its value: (count pc old new)
;;   (lazy-take (history "counter") 5) the last five changes of 8 bytes, the newest first
;;   (first-time '(> r5 10))           the instruction count at which that held first
;;   (bisect '(= (target-peek head) 0)) the instruction that broke what held at the start
;;   (calls 'fib)                      each call, with arguments and result
;;
;; A register is a place on the register stack: r5 of the selected activation, whoever calls it by which name.
;; A condition is a quoted form in which registers and symbols stand for their values, or a procedure of no
;; arguments, which looks at (the-machine).

(module debugger/questions)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/code)
(use debugger/value)
(use debugger/views)
(use debugger/timeline)
(use debugger/search)

;; ---- changes of a place --------------------------------------------------------------------------------

;; A place whose history can be asked for: kind register, thread-register or memory; length in bytes of memory.
(define-type location
  constructor: make-location
  kind begin size)

(define (register->location word)
  (let ((number (string->number (substring word 1 (string-length word)))))
    (cond ((string=? word "pc") (raise-user-error "the pc is written by every instruction; ask for a register or memory"))
          ((char=? (string-ref word 0) #\t) (make-location 'thread-register number 1))
          ((= number 0) (raise-user-error "r0 is never written: it is always 0"))
          (else (make-location 'register (+ number (vector-ref (target-activation (session-level (the-session))) 2)) 1)))))

;; what: a register (r5, 'r5), a variable, or a place in memory: a symbol, an address, a form. length: #f for that of the
;; view that the place has, or else 8.
(define (word->location what #!optional (length #f))
  (let* ((word (if (string? what) what (written what)))
         (viewed (and (not (register-word? word)) (word->location-of-view word word->integer))))
    (cond ((or (register-word? word) (string? viewed)) (register->location (or viewed word)))
          ((and length (<= length 0)) (raise-user-error "a range of memory has at least one byte"))
          (viewed (make-location 'memory (car viewed) (or length (cdr viewed))))
          (else
           (make-location 'memory
                          (word->integer (if (bracketed? word) (substring word 1 (- (string-length word) 1)) word))
                          (or length 8))))))

(define (location-filters location)
  (let ((first (location-begin location)))
    (if (eq? (location-kind location) 'memory)
        (list (list 'write first (+ first (location-size location) -1)))
        (list (list (location-kind location) first first)))))

;; The last event that wrote the place before a count, or #f. To be called within call-and-come-back.
(define (last-change-of location limit)
  (let ((events (last-events-before limit (location-filters location)))) (and (pair? events) (car events))))

;; A change as a list.
(define (event->change event) (list (event-count event) (event-pc event) (event-before event) (event-after event)))
(define change-count car)
(define change-pc cadr)
(define change-old caddr)
(define change-new cadddr)

(define-documented (last-write what #!optional (length #f))
  "Who wrote a register ('r5) or memory (an address, a symbol, LENGTH bytes) last, before where the machine
stands: (count pc old new), the count before the instruction at pc; of memory, old and new are the bytes that
it wrote there, up to 8. #f: nobody since the start of the timeline."
  (let* ((location (word->location what length)) (limit (target-count))
         (event (call-and-come-back (lambda () (last-change-of location limit)))))
    (and event (event->change event))))

;; A lazy list is '() or a pair of an element and the promise of the rest.
(define-documented (lazy-rest list)
  "The lazy list behind its first element."
  (force (cdr list)))

(define-documented (lazy-take list n)
  "The first N elements of a lazy list, or all when there are fewer, as a list."
  (if (or (null? list) (= n 0)) '() (cons (car list) (if (= n 1) '() (lazy-take (lazy-rest list) (- n 1))))))

(define-documented (lazy-filter keep? list)
  "The lazy list of the elements for which KEEP? holds."
  (cond ((null? list) '())
        ((keep? (car list)) (cons (car list) (delay (lazy-filter keep? (lazy-rest list)))))
        (else (lazy-filter keep? (lazy-rest list)))))

(define-documented (history what #!optional (length #f))
  "All that wrote a register or memory before where the machine stands, as last-write gives it: a lazy list, the
newest first."
  (history-before (location-filters (word->location what length)) (target-count)))

(define (history-before filters limit)
  (let ((events (call-and-come-back (lambda () (last-events-before limit filters)))))
    (let loop ((events events))
      (if (null? events)
          '()
          (cons (event->change (car events))
                (delay (if (null? (cdr events))
                           (history-before filters (event-count (car events)))
                           (loop (cdr events)))))))))

;; ---- conditions ------------------------------------------------------------------------------------

;; what -> (test . filters): a procedure that gives where it may change, while the window is what it is.
(define (condition-of what)
  (if (procedure? what)
      (cons what every-instruction)
      (let* ((word (if (string? what) what (written what))) (registers (condition-registers word)))
        (cons (word->predicate word)
              (if registers
                  (lambda () (append '((call) (return)) (map register-filter registers)))
                  every-instruction)))))

(define (every-instruction) '((execute)))
(define (register-filter number)
  (let ((index (+ (target-window) number))) (list 'register index index)))

;; Calls visit with each count, ascending, at which the condition holds, until it gives something else than #f.
(define (visit-times what from to visit)
  (let* ((condition (condition-of what)) (holding? #f) (last from))
    (define (test) (call-interruptibly-outside (car condition)))
    ;; Between two events the condition stays what it was.
    (define (visit-until count)
      (let loop ()
        (and holding? (< last count) (or (visit last) (begin (set! last (+ last 1)) (loop))))))
    (call-and-come-back
     (lambda ()
       (timeline-goto! from)
       (set! holding? (and (test) #t))
       (or (observe-span from to
                         (lambda () (make-observation ((cdr condition)) stop-at: 1))
                         (lambda (observation)
                           (or (visit-until (target-count))
                               (begin (set! last (target-count)) (set! holding? (and (test) #t)) #f))))
           (visit-until (+ to 1)))))))

(define (the-start) (timeline-start (the-timeline)))

(define-documented (first-time what #!optional (from (the-start)) (to (timeline-end (the-timeline))))
  "The first instruction count from FROM to TO (the whole timeline) at which a condition holds, or #f. WHAT is a
quoted form, such as '(> r5 10), or a procedure without arguments."
  (visit-times what from to (lambda (count) count)))

(define-documented (all-times what #!optional (from (the-start)) (to (timeline-end (the-timeline))))
  "All instruction counts from FROM to TO (the whole timeline) at which a condition holds, ascending, as a lazy
list. WHAT is as for first-time."
  (let ((first (first-time what from to)))
    (if (not first)
        '()
        (cons first (delay (if (< first to) (all-times what (+ first 1) to) '()))))))

(define-documented (bisect what #!optional (from (the-start)) (to (timeline-end (the-timeline))))
  "The instruction that broke an invariant: the count before it, for a condition that holds at FROM and not at
TO (the whole timeline). Looks at some thirty points; where the condition came and went, at one of the breaks."
  (let ((test (car (condition-of what))))
    (call-and-come-back
     (lambda ()
       (define (holds-at? count) (timeline-goto! count) (call-interruptibly-outside test))
       (if (not (holds-at? from)) (raise-user-error "the condition does not hold at " from " instructions, where the search begins"))
       (if (holds-at? to) (raise-user-error "the condition still holds at " to " instructions, where the search ends"))
       (let loop ((low from) (high to))
         (if (= (+ low 1) high)
             low
             (let ((middle (quotient (+ low high) 2)))
               (if (holds-at? middle) (loop middle high) (loop low middle)))))))))

;; ---- calls -----------------------------------------------------------------------------------------

;; result and end, the count behind the return, are #f while it has not returned. What a function leaves to another by
;; a tail call, that one's return gives back for it.
(define-type call
  constructor: make-call
  count caller function arguments result end (depth unprintable:) (window unprintable:))

(define (registers-from index n)
  (map (lambda (i) (machine-register (the-machine) (+ index i 1 (- (target-window))) 0 (session-thread (the-session))))
       (iota n)))

(define-documented (calls function #!optional (arguments 3) (limit 10000))
  "The calls of a function (a symbol's name or an address; #f: of all) up to where the machine stands, as records,
the oldest first: call-count, call-caller (the address of the call), call-function, call-arguments (ARGUMENTS
values from r1 on), call-result (r1 when it returned), call-end. At most LIMIT of them."
  (let* ((address (and function (word->integer (if (string? function) function (written function)))))
         (to (target-count)) (done '()) (open '()) (n 0)
         (called (if address (list 'call address address) '(call))))
    ;; Who returns from a call may be another function than was called.
    (define (observation) (make-observation (if (pair? open) (list called '(return)) (list called)) stop-at: 1))
    (define (return! event)
      (for-each (lambda (call)
                  (if (= (call-depth call) (event-before event))
                      (begin
                        (call-result-set! call (car (registers-from (call-window call) 1)))
                        (call-end-set! call (target-count)))))
                open)
      (set! open (remove (lambda (call) (>= (call-depth call) (event-before event))) open)))
    (define (call! event)
      (let ((call (make-call (event-count event) (event-pc event) (event-place event)
                             (registers-from (target-window) arguments) #f #f (event-before event) (target-window))))
        (set! n (+ n 1))
        (set! done (cons call done))
        (set! open (cons call open))))
    (call-and-come-back
     (lambda ()
       (observe-span (the-start) to observation
                     (lambda (observation)
                       (for-each (lambda (event) (if (eq? (event-kind event) 'call) (call! event) (return! event)))
                                 (observation-events observation))
                       (>= n limit)))))
    (reverse done)))

;; ---- counting --------------------------------------------------------------------------------------

(define-documented (execution-counts #!optional (from (the-start)) (to (timeline-end (the-timeline))))
  "How often each instruction was executed from the count FROM to TO (the whole timeline): ((address . times) ...)
by address, of code that was executed."
  (append-map
   (lambda (region)
     (let* ((start (car region)) (end (code-end start (cadr region))) (counts (make-u64vector (max 1 (- end start)) 0)))
       (call-and-come-back
        (lambda ()
          (let ((counting (make-observation '() stop-at: #f counts: counts counts-first: start)))
            (observe-span from to (lambda () counting) (lambda (observation) #f)))))
       (let loop ((i (- (u64vector-length counts) 1)) (found '()))
         (cond ((< i 0) found)
               ((= 0 (u64vector-ref counts i)) (loop (- i 1) found))
               (else (loop (- i 1) (cons (cons (+ start i) (u64vector-ref counts i)) found)))))))
   (filter (lambda (region) (string-contains (caddr region) "x")) (target-regions))))
