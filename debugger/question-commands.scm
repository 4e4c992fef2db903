;; Commands that ask about the past: last-write, history, why, when, first-time, bisect, calls, coverage. Each is
;; a procedure of debugger/questions or debugger/why as well.

(module debugger/question-commands)
(use scheme-lib/util)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/value)
(use debugger/timeline)
(use debugger/search)
(use debugger/questions)
(use debugger/why)
(use debugger/why-drawing)
(use debugger/show)

(define (change-row change)
  (list (grouped (change-count change))
        (where-text (change-pc change))
        (text (number-text (change-old change)) " -> " (number-text (change-new change)))))

(define (nobody where) (say "nobody wrote " where " since the start of the timeline"))

(define-command (last-write (where value) #!optional (length count #f))
  "Tells who wrote a register or memory last. WHERE is r5, a variable, or a place of LENGTH bytes (8); the count is that \
before the instruction, for goto."
  group: questions
  (the-machine)
  (let ((change (last-write where length)))
    (if change (columns (list (change-row change))) (nobody where))))

(define-command (history (where value) #!optional (count count 10) (length count #f))
  "Lists what wrote a register or memory, the newest first. COUNT entries are shown; memory is LENGTH bytes, those of \
its view or 8."
  group: questions
  (the-machine)
  (let ((changes (lazy-take (history where length) count)))
    (if (null? changes) (nobody where) (columns (map change-row changes)))))

(define-command (why (where value) #!optional (count count 20) (file file #f))
  "Tells where a value came from. WHERE is a register or memory; what it was made from stands indented below it, \
down to COUNT instructions. With a FILE it is written there: as a picture where its name ends in .svg, else as a \
graph for Graphviz."
  group: questions
  (answer-why where count #f file))

(define-command (why-there (where value) #!optional (count count 20) (file file #f))
  "Tells where a value came from, addresses too. As why; behind `address:` stands where the registers came from that said \
what to read or where to write."
  group: questions
  (answer-why where count #t file))

(define (answer-why where count addresses? file)
  (the-machine)
  (let ((answer (why where count #f addresses?)))
    (cond ((not file) (display (why->text answer)))
          ((string-suffix? ".svg" file) (write-why-svg file answer) (say "wrote " file))
          (else
           (write-file-text file (why->graphviz answer))
           (say "wrote " file "; dot -Tsvg " file " makes a picture of it")))))

(define (moment-row count)
  (call-and-come-back (lambda () (timeline-goto! count) (list (grouped count) (where-text (target-pc))))))

(define-command (when (condition value) #!optional (count count 10))
  "Lists when a condition held. It is a form in which registers and symbols stand for their values; the first \
COUNT instruction counts are shown: when (= r1 3)."
  group: questions
  (the-machine)
  (let ((times (lazy-take (all-times condition) count)))
    (if (null? times) (say "never: " condition) (columns (map moment-row times)))))

(define-command (first-time (condition value))
  "Tells when a condition held first. It is a form in which registers and symbols stand for their values."
  group: questions
  (the-machine)
  (let ((count (first-time condition)))
    (if count (columns (list (moment-row count))) (say "never: " condition))))

(define (word->moment word)
  (let ((timeline (the-timeline)))
    (cond ((string=? word "start") (timeline-start timeline))
          ((string=? word "end") (timeline-end timeline))
          (else (word->integer word)))))

(define-command (bisect (condition value) #!optional (from word "start") (to word "end"))
  "Finds the instruction that broke an invariant. CONDITION holds at the count FROM (start) and not at TO (end): \
bisect (= (target-peek head) 0)."
  group: questions
  (the-machine)
  (let ((count (bisect condition (word->moment from) (word->moment to))))
    (say condition " was broken by")
    (columns (list (moment-row count)))))

(define (call-row call)
  (list (grouped (call-count call))
        (text (address-text (call-function call)) " (" (string-join (map (lambda (n) (text (s64 n))) (call-arguments call)) " ") ")")
        (if (call-end call) (text "= " (number-text (call-result call))) "")
        (text "by " (where-text (call-caller call)))))

(define-command (calls #!optional (function value #f) (arguments count 2) (limit count 20))
  "Lists the calls of a function, or all. Each with ARGUMENTS registers from r1 on (2), and what r1 was when it \
returned; at most LIMIT (20)."
  group: questions
  (the-machine)
  (let ((all (calls function arguments limit)))
    (if (null? all) (say "no calls") (columns (map call-row all)))))

;; The executed instructions of each symbol: (name addresses . times).
(define (by-symbol counts)
  (let loop ((counts counts) (rows '()))
    (if (null? counts)
        (reverse rows)
        (let* ((symbol (symbol-at (caar counts))) (name (if symbol (car symbol) (hex-address (caar counts)))))
          (if (and (pair? rows) (string=? (caar rows) name))
              (loop (cdr counts)
                    (cons (cons name (cons (+ 1 (cadar rows)) (+ (cddar rows) (cdar counts)))) (cdr rows)))
              (loop (cdr counts) (cons (cons name (cons 1 (cdar counts))) rows)))))))

(define-command (coverage #!optional (from word "start") (to word "end"))
  "Tells which code was executed, and how often. For each symbol: how many instructions behind it were reached, and \
how many times instructions were executed there, from the count FROM to TO (the whole timeline)."
  group: questions
  (the-machine)
  (columns (cons '("symbol" "reached" "executed")
                 (map (lambda (row) (list (car row) (grouped (cadr row)) (grouped (cddr row))))
                      (by-symbol (execution-counts (word->moment from) (word->moment to)))))))
