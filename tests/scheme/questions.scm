;; Questions about the past, against what a run that looks at each instruction finds.

(use scheme-lib/test)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/breakpoints)
(use debugger/timeline)
(use debugger/search)
(use debugger/run)
(use debugger/questions)
(use debugger/why)
(use debugger/why-drawing)

;; Does body in a session of its own with the program run to its end, or for so many instructions.
(define (after-running path input fuel body)
  (parameterize ((current-session (new-session)) (least-spacing 60) (timeline-moment-limit 10))
    (call-with-output-string
     (lambda (output)
       (session-streams-set! (the-session) (list (open-input-string input) output output))
       (load-program! path)
       (run-program! '() fuel)))
    (body)))

;; What (look) gave at each count, as (count . value).
(define (looked-at look)
  (let ((end (timeline-end (the-timeline))))
    (call-and-come-back
     (lambda ()
       (map (lambda (count) (timeline-goto! count) (cons count (look))) (iota (+ end 1)))))))

;; The changes of a value, as (count old new), the newest first.
(define (changes values)
  (let loop ((values values) (found '()))
    (cond ((null? (cdr values)) found)
          ((equal? (cdar values) (cdadr values)) (loop (cdr values) found))
          (else (loop (cdr values) (cons (list (caar values) (cdar values) (cdadr values)) found))))))

(define (history-changes what)
  (filter-map (lambda (change)
                (and (not (= (change-old change) (change-new change)))
                     (list (change-count change) (change-old change) (change-new change))))
              (lazy-take (history what) 100000)))

;; r2 of the outermost activation.
(define (outermost register)
  (machine-register (the-machine) register (- (target-depth) 1)))

(test-group "history"
  (for-each
   (lambda (case)
     (after-running (car case) (cadr case) #f
       (lambda ()
         (test (text (caddr case) " of " (car case) " is what stepping sees")
               (changes (looked-at (cadddr case)))
               (history-changes (caddr case))))))
   (list (list "tests/repl/programs/steps.s" "" "r2" (lambda () (outermost 'r2)))
         (list "examples/wc.s" "a few words\nand more" "r2" (lambda () (outermost 'r2)))
         (list "examples/wc.s" "a few words\nand more" "r11" (lambda () (outermost 'r11)))
         (list "examples/wc.s" "a few words" "piece" (lambda () (target-peek (symbol-value "piece"))))
         (list "tests/repl/programs/factorial.s" "" "result" (lambda () (target-peek (symbol-value "result")))))))

(test-group "last-write"
  (after-running "tests/repl/programs/broken-list.s" "" #f
    (lambda ()
      (let ((before (machine-hash (the-machine))))
        (test "is the newest of the history" (car (history "second+8")) (last-write "second+8"))
        (test "is a list of count, pc, old and new" (list 104 (+ (symbol-value "copy") 4) 0 0) (last-write "second+8"))
        (test "knows a single byte" 99 (change-count (last-write "(+ second 11)" 1)))
        (test "is #f where nobody wrote" #f (last-write 'r9))
        (test "the machine is where it was" before (machine-hash (the-machine)))
        (goto-count! 90)
        (test "looks from where the machine stands" 89 (change-count (last-write "second+8")))
        (test "and leaves it there" 90 (target-count))))))

;; The last event that wrote there before a count, of all since the start.
(define (last-of-all address count)
  (call-and-come-back
   (lambda ()
     (let ((observation (make-observation (list (list 'write address (+ address 7))) stop-at: #f keep: 1000)))
       (observe-span 0 count (lambda () observation) (lambda (observation) #f))
       (observation-events observation)))))

(test-group "stretches in which a page was not written"
  (after-running "tests/repl/programs/pages.s" "" #f
    (lambda ()
      (let* ((end (target-count)) (first (symbol-value "pages"))
             (addresses (append-map (lambda (page) (list (+ first (* page 65536)) (+ first (* page 65536) 8))) (iota 6))))
        (test-assert "are known" (any (lambda (moment) (not (touches? (moment-written moment) first 8)))
                                      (timeline-moments (the-timeline))))
        (for-each
         (lambda (count)
           (goto-count! count)
           (test (text "do not hide who wrote last before " count)
                 (map (lambda (address) (map event-count (last-of-all address count))) addresses)
                 (map (lambda (address) (reverse (map change-count (lazy-take (history address) 1000)))) addresses)))
         (list end 700 1501 90 1333 1 end 1111 204))
        (goto-count! end)
        (let ((changed (last-write (car addresses))))
          (watchpoint-add! (car addresses) 8 'write "pages")
          (reverse-continue!)
          (test "nor where a watchpoint stops" (+ 1 (change-count changed)) (target-count)))))))

(test-group "conditions"
  (after-running "examples/wc.s" "a few words" #f
    (lambda ()
      (let* ((values (looked-at (lambda () (target-register 'r2))))
             (holding (filter-map (lambda (value) (and (= (cdr value) 2) (car value))) values)))
        (test "all times at which a register had a value" holding (lazy-take (all-times '(= r2 2)) 1000))
        (test "a procedure says the same" holding
              (lazy-take (all-times (lambda () (= 2 (target-register 'r2)))) 1000))
        (test "the first of them" (car holding) (first-time '(= r2 2)))
        (test "from a count on" (cadr holding) (first-time '(= r2 2) (cadr holding)))
        (test "never is #f" #f (first-time '(= r2 77)))
        (test "bisection finds the instruction that broke what held" (- (car holding) 1)
              (bisect '(< r2 2) 0 (car holding)))
        (test-error "which must have held" "does not hold at 0" (bisect '(= r2 2)))
        (test-error "and hold no more" "still holds" (bisect '(< r2 77)))))))

(test-group "calls"
  (after-running "tests/repl/programs/factorial.s" "" #f
    (lambda ()
      (test "with arguments and results" '(((5) 120) ((4) 24) ((3) 6) ((2) 2) ((1) 1))
            (map (lambda (call) (list (call-arguments call) (call-result call))) (calls 'factorial 1)))
      (test "so many of them" 2 (length (calls #f 1 2)))
      (goto-count! 10)
      (test "up to here, some without result yet" '(#f #f #f) (map call-result (calls 'factorial)))))
  (after-running "tests/repl/programs/steps.s" "" #f
    (lambda ()
      (test "a tail call is one too" '("first" "second")
            (map (lambda (call) (address-text (call-function call))) (calls #f 1)))
      (test "and its result is that of who made it" '(8 8) (map call-result (calls #f 1)))
      (test "also where only that is asked for" '(8) (map call-result (calls "first"))))))

(test-group "counts"
  (after-running "examples/wc.s" "a few words" #f
    (lambda ()
      (let ((counts (execution-counts)))
        (test "all instructions are counted" (target-count) (apply + (map cdr counts)))
        (test "a loop's as often as it went round" 11 (cdr (assv (symbol-value "next_byte") counts))))
      (test "of a span, those of the span" 7 (apply + (map cdr (execution-counts 10 17)))))))

(test-group "why"
  (after-running "tests/repl/programs/factorial.s" "" #f
    (lambda ()
      (let ((answer (why 'r11)))
        (test "the value" 120 (why-value answer))
        (test "the instruction" "mul r1, r1, r3" (why-instruction answer))
        (test "what it was made from" '(5 24) (map why-value (why-sources answer)))
        (test "down to a constant" "imm r11, 5" (why-instruction (car (why-sources answer))))
        (test-assert "as text" (string-contains (why->text answer) "r11 = 0x78  by mul r1, r1, r3  at 23"))
        (test-assert "and as a graph" (string-prefix? "digraph why {" (why->graphviz answer)))
        (let ((path (temporary-path "comet-vm-why")))
          (write-why-svg path answer)
          (let ((picture (read-file-text path)))
            (delete-file path)
            (test-assert "and as a picture" (string-prefix? "<svg " picture))
            (test "with its titles" #t (and (string-contains picture (text ">" (why-title answer) "<")) #t)))))
      (test "what was never written was there from the start" '(#f 0 ())
            (let ((answer (why 'r9))) (list (why-count answer) (why-value answer) (why-sources answer))))))
  (after-running "examples/wc.s" "x" #f
    (lambda ()
      (test-assert "what came from outside names the stream"
                   (string-suffix? "(read, standard input)" (why-instruction (why "piece" 20 1))))))
  (after-running "tests/repl/programs/broken-list.s" "" #f
    (lambda ()
      (test "addresses are followed where that is asked for" '() (why-addresses (why 'r3 20 8)))
      (let ((answer (why 'r3 20 8 #t)))
        (test "a load's is that of its register" '("r1") (map why-place (why-addresses answer)))
        (test-assert "as text" (string-contains (why->text answer) "  address: r1 = "))
        (test-assert "and dashed in a graph" (string-contains (why->graphviz answer) "[style=dashed]"))))))

;; What Ctrl-C does while a condition is looked at.
(define (press!) ((current-user-interrupt-handler)) #f)

(test-group "Ctrl-C while the past is looked at"
  (after-running "tests/repl/programs/steps.s" "" 20
    (lambda ()
      (define here (list (target-count) (target-pc)))
      (define (stands-there?) (equal? here (list (target-count) (target-pc))))
      (test-error "ends a question" "instructions, while looking at the past" (first-time press!))
      (test-assert "behind which the program stands where it stood" (stands-there?))
      (test-error "ends a bisection" "while looking at the past" (bisect press!))
      (test-assert "in the same way" (stands-there?))
      (test-error "between two runs it ends the next one" "while looking at the past"
                  (call-and-come-back (lambda () (press!) (first-time (lambda () #f) 0 10))))
      (test-assert "and nothing else" (stands-there?))
      (timeline-goto! 10)
      (breakpoint-condition-set-text!
       (breakpoint-add! (target-pc) (number->string (target-pc))) "((current-user-interrupt-handler))")
      (timeline-goto! (car here))
      (test-error "ends a search for a breakpoint" "while looking at the past" (reverse-continue!))
      (test-assert "with the breakpoint as it was" (stands-there?))
      (breakpoints-clear!)
      (test "and the past is what it was" 'start (pause-reason (reverse-continue!))))))
