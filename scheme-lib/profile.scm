;; Where a program's instructions go: by address, symbol, source line, opcode and pair of opcodes, by stack of
;; calls, and which memory they touch.
;;
;;   (define p (make-profile))
;;   (machine-profile! m p)               runs the machine; => a stop
;;   (profile-symbols p m)                => (#<share name: "fib" self: 870 inclusive: 875 …> …)
;;   (write-folded-stacks "fib.folded" (profile-stacks p m))
;;
;; A profile counts each instruction, or *samples*: the machine runs at full speed for the most part, and is
;; looked at for a *burst* of instructions now and then, each of which stands for `weight` of them. When that is
;; depends on the instruction count alone, so the same run has the same profile.
;;
;; A stack is a list of names, outermost first: of the functions that were called, and, where the innermost
;; instruction is not behind that function's name but another (a loop's label, a routine that was jumped to), of
;; the symbol there.

(module scheme-lib/profile)
(use scheme-lib/util)
(use scheme-lib/machine)
(use vm-ext/gambit/vm)

(define-type profile
  constructor: construct-profile
  (handle unprintable:)
  sampled?)

(define-documented (make-profile)
  "An empty profile, for machine-profile!."
  (construct-profile (vm-profile-new) #f))

;; ---- filling it --------------------------------------------------------------------------------------

(define burst 32)
;; So many are counted at first, one by one.
(define counted (* 64 burst))
;; A prime, so that no loop of a program keeps in step.
(define greatest-weight 125003)

;; What an instruction of a burst stands for, when so many were counted: little at first, so that short runs are known well,
;; then ever more, so that looking costs little in the long run.
(define (sampling-weight executed)
  (min greatest-weight (+ 1 (quotient executed (* 16 burst)))))

;; To be run with machine-observe!.
(define-documented (profile-observation profile weight)
  "An observation that counts what instructions do in a profile, each as if it were WEIGHT of them."
  (if (> weight 1) (profile-sampled?-set! profile #t))
  (make-observation '() stop-at: #f keep: 0 profile: (profile-handle profile) weight: weight))

(define-documented (machine-profile! machine profile #!key (fuel #f) (thread 0) (every #f))
  "As machine-run!, and counts what the thread does. EVERY 1 counts each instruction, some twenty times slower; EVERY N
looks at one of N, in bursts of 32; #f at so many as cost a few thousandths of a second, and about a percent from
then on."
  (let ((begin-count (machine-count machine thread)))
    (define (executed) (- (machine-count machine thread) begin-count))
    (define (left) (and fuel (- fuel (executed))))
    (define (run-for count run)
      (let ((left (left))) (run (if (and count left) (min count left) (or count left)))))
    (define (look weight)
      (run-for (cond ((> weight 1) burst) (every #f) (else counted))
               (lambda (fuel) (machine-observe! machine (profile-observation profile weight) fuel thread))))
    (define (finish stop) (stop-executed-set! stop (executed)) stop)
    ;; Goes on unless something else than its share of the fuel ended a run.
    (define (then stop go-on)
      (cond ((or (not (eq? (stop-reason stop) 'out-of-fuel)) (eqv? (left) 0)) (finish stop))
            ((machine-pause-for-breakpoint machine stop) => finish)
            (else (go-on))))
    ;; A burst is in the middle of what it stands for, of which `behind` is still to be run.
    (let loop ((behind 0))
      (let* ((weight (or every (sampling-weight (profile-instructions profile))))
             (distance (* burst (- weight 1))) (ahead (quotient distance 2)))
        (define (look-and-go-on) (then (look weight) (lambda () (loop (- distance ahead)))))
        (if (= 0 (+ behind ahead))
            (look-and-go-on)
            (then (run-for (+ behind ahead) (lambda (fuel) (machine-run! machine fuel thread))) look-and-go-on))))))

;; ---- what was counted --------------------------------------------------------------------------------

(define stacks 0)
(define places 1)
(define pairs 2)
(define accesses 3)
(define none (- (expt 2 64) 1))

(define row-of (lambda (row) (vector-ref row 0)))
(define row-what (lambda (row) (vector-ref row 1)))
(define row-count (lambda (row) (vector-ref row 2)))

(define (rows profile table)
  (let loop ((n 0) (found '()))
    (let ((row (vm-profile-read (profile-handle profile) table n)))
      (if row (loop (+ n 1) (cons row found)) (reverse found)))))

(define-documented (profile-instructions profile)
  "How many instructions a profile is of; of samples, an estimate."
  (vector-ref (vm-profile-get (profile-handle profile)) 0))

(define-documented (profile-lost profile)
  "How often something was not counted for want of room."
  (vector-ref (vm-profile-get (profile-handle profile)) 1))

;; Sums by key, the largest first; keys in the order in which they came where sums are equal.
(define (totals keys+counts)
  (let ((sums (make-table test: equal?)) (order '()))
    (for-each (lambda (entry)
                (let ((sum (table-ref sums (car entry) #f)))
                  (if (not sum) (set! order (cons (car entry) order)))
                  (table-set! sums (car entry) (+ (or sum 0) (cdr entry)))))
              keys+counts)
    (sort (map (lambda (key) (cons key (table-ref sums key))) (reverse order))
          (lambda (a b) (> (cdr a) (cdr b))))))

;; A procedure of one argument that remembers what it gave.
(define (remembering procedure)
  (let ((known (make-table)))
    (lambda (x)
      (let ((value (table-ref known x known)))
        (if (eq? value known)
            (let ((value (procedure x))) (table-set! known x value) value)
            value)))))

(define (symbol-namer machine)
  (remembering (lambda (address)
                 (let ((symbol (machine-symbol-at machine address)))
                   (if symbol (car symbol) (hex-address address))))))

(define-documented (profile-places profile)
  "How often each instruction was executed: ((address . count) ...), the most frequent first."
  (totals (map (lambda (row) (cons (row-what row) (row-count row))) (rows profile places))))

(define-documented (profile-lines profile machine)
  "How many instructions were executed of each source line: (((file . line) . count) ...), the most first."
  (totals (filter-map (lambda (place)
                        (let ((line (machine-line-at machine (car place))))
                          (and line (cons (cons (car line) (cadr line)) (cdr place)))))
                      (profile-places profile))))

;; ---- shares --------------------------------------------------------------------------------------------

(define-documented (share-text part whole)
  "A part of a whole as \"12.3%\"."
  (let ((tenths (if (= whole 0) 0 (round (/ (* 1000 part) whole))))) (text (quotient tenths 10) "." (modulo tenths 10) "%")))

;; ---- instructions ------------------------------------------------------------------------------------

(define (mnemonics machine)
  (let ((names (make-table)))
    (for-each (lambda (row) (table-set! names (vector-ref row 1) (vector-ref row 0)))
              (append (vector->list (vm-isa)) (machine-definitions machine)))
    (lambda (opcode) (table-ref names opcode opcode))))

(define-documented (profile-opcodes profile machine)
  "How often instructions of each name were executed: ((name . count) ...), the most frequent first."
  (let ((name (mnemonics machine)))
    (totals (map (lambda (row) (cons (name (row-what row)) (row-count row))) (rows profile pairs)))))

(define-documented (profile-pairs profile machine)
  "How often an instruction followed another: (((name . name) . count) ...), the most frequent first."
  (let ((name (mnemonics machine)))
    (totals (filter-map (lambda (row)
                          (and (not (= (row-of row) none))
                               (cons (cons (name (row-of row)) (name (row-what row))) (row-count row))))
                        (rows profile pairs)))))

;; ---- stacks ------------------------------------------------------------------------------------------

;; The names of each stack by its number, innermost first.
(define (stack-names profile name)
  (let* ((rows (list->vector (rows profile stacks))) (names (make-vector (vector-length rows) '())))
    ;; A caller is always counted before what it calls.
    (let loop ((n 0))
      (if (< n (vector-length rows))
          (let ((row (vector-ref rows n)))
            (vector-set! names n (cons (name (row-what row))
                                       (if (= (row-of row) none) '() (vector-ref names (row-of row)))))
            (loop (+ n 1)))))
    names))

;; Those of an instruction, innermost first.
(define (names-at names name row)
  (let ((stack (if (= (row-of row) none) '() (vector-ref names (row-of row)))) (here (name (row-what row))))
    (if (and (pair? stack) (string=? (car stack) here)) stack (cons here stack))))

(define-documented (profile-stacks profile machine)
  "How many instructions were executed on each stack: (((name ...) . count) ...), names outermost first, sorted by
them."
  (let* ((name (symbol-namer machine)) (names (stack-names profile name)))
    (sort (totals (map (lambda (row) (cons (reverse (names-at names name row)) (row-count row)))
                       (rows profile places)))
          (lambda (a b) (stack<? (car a) (car b))))))

(define (stack<? a b)
  (cond ((null? b) #f)
        ((null? a) #t)
        ((string=? (car a) (car b)) (stack<? (cdr a) (cdr b)))
        (else (string<? (car a) (car b)))))

;; A symbol's share: instructions behind it, those and what they called, and calls of it.
(define-type share
  constructor: make-share
  name self inclusive calls)

(define-documented (profile-symbols profile machine)
  "Each symbol's share, the largest first: share-name, share-self (instructions executed behind it),
share-inclusive (there and in what was called from there), share-calls (calls of it)."
  (let* ((name (symbol-namer machine)) (names (stack-names profile name)) (shares (make-table test: equal?)))
    (define (share-of name)
      (or (table-ref shares name #f)
          (let ((share (make-share name 0 0 0))) (table-set! shares name share) share)))
    (for-each (lambda (entry)
                (let ((stack (car entry)) (count (cdr entry)))
                  (let ((leaf (share-of (car stack)))) (share-self-set! leaf (+ count (share-self leaf))))
                  (for-each (lambda (name)
                              (let ((share (share-of name))) (share-inclusive-set! share (+ count (share-inclusive share)))))
                            (distinct stack))))
              (totals (map (lambda (row) (cons (names-at names name row) (row-count row))) (rows profile places))))
    (for-each (lambda (row)
                (let ((share (share-of (name (row-what row))))) (share-calls-set! share (+ (row-count row) (share-calls share)))))
              (rows profile stacks))
    (sort (filter (lambda (share) (> (share-inclusive share) 0)) (map cdr (table->list shares)))
          (lambda (a b)
            (or (> (share-self a) (share-self b))
                (and (= (share-self a) (share-self b))
                     (or (> (share-inclusive a) (share-inclusive b))
                         (and (= (share-inclusive a) (share-inclusive b)) (string<? (share-name a) (share-name b))))))))))

;; Recursive stacks are deep, and have few names.
(define (distinct names)
  (let loop ((names names) (found '()))
    (cond ((null? names) found)
          ((member (car names) found) (loop (cdr names) found))
          (else (loop (cdr names) (cons (car names) found))))))

(define-documented (write-folded-stacks path stacks)
  "Writes stacks as profile-stacks gives them to a file in the form that flame graph tools read: a line each,
`outer;inner count`."
  (call-with-output-file (list path: path char-encoding: 'UTF-8)
    (lambda (port)
      (for-each (lambda (stack) (display (text (string-join (car stack) ";") " " (cdr stack) "\n") port)) stacks))))

;; ---- memory ------------------------------------------------------------------------------------------

(define cell-size 1024)

;; A kilobyte of memory: reads, writes, and instructions executed there.
(define-type cell
  constructor: make-cell
  address reads writes executions)

(define-documented (profile-accesses profile)
  "How often each kilobyte of memory was touched, by address: cell-address, cell-reads, cell-writes, cell-executions."
  (let ((cells (make-table)))
    (define (cell-of address)
      (let ((start (- address (modulo address cell-size))))
        (or (table-ref cells start #f)
            (let ((cell (make-cell start 0 0 0))) (table-set! cells start cell) cell))))
    (for-each (lambda (row)
                (let ((cell (cell-of (row-of row))))
                  (if (= (row-what row) 1)
                      (cell-reads-set! cell (+ (row-count row) (cell-reads cell)))
                      (cell-writes-set! cell (+ (row-count row) (cell-writes cell))))))
              (rows profile accesses))
    (for-each (lambda (row)
                (let ((cell (cell-of (row-what row)))) (cell-executions-set! cell (+ (row-count row) (cell-executions cell)))))
              (rows profile places))
    (sort (map cdr (table->list cells)) (lambda (a b) (< (cell-address a) (cell-address b))))))
