;;; report.scm: a table, results.json and chart.svg from results.txt, whose lines are
;;; PROGRAM ENGINE SECONDS KIBIBYTES, one for each run. See bench.sh.

(use scheme-lib/util)
(use scheme-lib/svg)

;; The programs of which means are quoted; the others came later.
(define first-eight '("fib" "sieve" "matmul" "mandel" "nbody" "sha256" "qsort" "hash"))

;; ---- what was measured -----------------------------------------------------------------------------------

(define (read-results path)             ; => ((program engine seconds KiB) …)
  (map (lambda (line)
         (let ((words (string-split line char-whitespace?)))
           (list (car words) (cadr words) (string->number (caddr words)) (string->number (cadddr words)))))
       (filter (lambda (line) (not (blank-string? line)))
               (string-split (read-file-text path) #\newline))))

;; Those of a line of words that were measured.
(define (measured-of line key results)
  (filter (lambda (word) (any (lambda (result) (string=? word (key result))) results)) (string-split line char-whitespace?)))

;; The value that a fraction of the numbers is not above.
(define (quantile fraction numbers)
  (let* ((sorted (list->vector (sort numbers <)))
         (place (* fraction (- (vector-length sorted) 1)))
         (below (inexact->exact (floor place)))
         (above (min (+ below 1) (- (vector-length sorted) 1))))
    (+ (vector-ref sorted below)
       (* (- place below) (- (vector-ref sorted above) (vector-ref sorted below))))))

;; Of one program on one engine: the median of its seconds, and how far half of them are from it, as a fraction.
;; The spread is #f where too few runs tell of it.
(define-type timing seconds spread memory)
(define fewest-runs 3)

(define (timing-of results program engine)
  (let ((mine (filter (lambda (r) (and (string=? (car r) program) (string=? (cadr r) engine))) results)))
    (and (pair? mine)
         (let* ((seconds (map caddr mine)) (median (max (quantile 1/2 seconds) 1e-6)))
           (make-timing median
                        (and (>= (length mine) fewest-runs)
                             (/ (- (quantile 3/4 seconds) (quantile 1/4 seconds)) 2 median))
                        (apply max (map cadddr mine)))))))

;; What ran too few times, because it takes long, is taken to be as noisy as the worst that did not; where nothing
;; tells, so noisy that only what differs by more than twice counts as different. Gives the spreads that are known.
(define (assume-spreads! timings)
  (let* ((known (filter-map timing-spread timings)) (worst (if (pair? known) (apply max known) 0.7)))
    (for-each (lambda (t) (if (not (timing-spread t)) (timing-spread-set! t worst))) timings)
    known))

;; How often the first takes the time of the second, and how uncertain that is, as a fraction; #f where
;; there is none.
(define-type ratio value spread)

(define (ratio-of a b)
  (and a b
       (make-ratio (/ (timing-seconds a) (timing-seconds b))
                   (sqrt (+ (expt (timing-spread a) 2) (expt (timing-spread b) 2))))))

;; Which of two is faster is not told when the spread is larger than the difference.
(define (ratio-tells? r) (> (abs (- (ratio-value r) 1)) (ratio-spread r)))

(define (geometric-mean ratios)         ; of those that there are
  (let ((there (filter (lambda (r) r) ratios)))
    (and (pair? there)
         (make-ratio (exp (/ (apply + (map (lambda (r) (log (ratio-value r))) there)) (length there)))
                     (/ (sqrt (apply + (map (lambda (r) (expt (ratio-spread r) 2)) there))) (length there))))))

;; ---- the table -------------------------------------------------------------------------------------------

(define (decimals number places)
  (let* ((factor (expt 10 places))
         (scaled (inexact->exact (round (* number factor)))))
    (text (quotient scaled factor)
          (if (= places 0) "" (text "." (string-pad-left (number->string (remainder scaled factor)) places #\0))))))

(define (ratio->text r)
  (cond ((not r) "-")
        ((not (ratio-tells? r)) "~1")
        (else (decimals (ratio-value r) (if (< (ratio-value r) 10) 2 1)))))

(define (show . items) (display (apply text items)))

(define (table-row name cells widths)
  (show (string-pad-right name 17) (apply text (map string-pad-left cells widths)) "\n"))

;; Of all engines over one of them, whose own column has seconds.
(define (ratio-table programs engines timing base)
  (define (ratios engine programs)
    (map (lambda (p) (ratio-of (timing p engine) (timing p base))) programs))
  (let ((eight (filter (lambda (p) (member p programs)) first-eight))
        (others (delete base engines))
        (widths (cons 9 (map (lambda (engine) (+ 2 (max 5 (string-length engine)))) (delete base engines)))))
    (define (row name cells) (table-row name cells widths))
    (define (mean-row name of)
      (row name (cons "" (map (lambda (engine)
                                (if (every (lambda (p) (timing p engine)) of)
                                    (ratio->text (geometric-mean (ratios engine of)))
                                    ""))
                              others))))
    (row (text "over " base) (cons "seconds" others))
    (for-each
     (lambda (program)
       (row program
            (cons (let ((t (timing program base))) (if t (decimals (timing-seconds t) 3) "-"))
                  (map (lambda (engine) (ratio->text (car (ratios engine (list program))))) others))))
     programs)
    (if (= (length eight) 8) (mean-row "mean of eight" eight))
    (mean-row "mean of all" programs)
    (row "mean, if shared"
         (cons "" (map (lambda (engine) (ratio->text (geometric-mean (ratios engine programs)))) others)))))

;; ---- a line of means -------------------------------------------------------------------------------------

;; The reference over each of the others, on the programs that both have.
(define (show-means programs engines timing reference)
  (newline)
  (for-each
   (lambda (engine)
     (let* ((shared (filter (lambda (program) (and (timing program reference) (timing program engine))) programs))
            (mean (geometric-mean (map (lambda (program) (ratio-of (timing program reference) (timing program engine))) shared))))
       (if mean (show (string-pad-right (text reference " over " engine) 28) (ratio->text mean) "  of " (length shared)
                      (if (= 1 (length shared)) " program\n" " programs\n")))))
   (delete reference engines)))

;; ---- costs ----------------------------------------------------------------------------------------------

;; What is measured beside the programs: an engine, what it is the same as but for that, and what that is.
(define costs '(("comet-limits" "comet" "deadline, fuel") ("comet-profile" "comet-run" "sampled profile")))
(define (cost-engine? engine) (or (assoc engine costs) (any (lambda (cost) (string=? engine (cadr cost))) (cdr costs))))

;; In percent; where the spread is larger than the difference, how large it may be.
(define (cost->text r)
  (cond ((not r) "-")
        ((ratio-tells? r) (text (if (< (ratio-value r) 1) "-" "+") (decimals (* 100 (abs (- (ratio-value r) 1))) 1) "%"))
        (else (text "below " (decimals (* 100 (max (ratio-spread r) 0.001)) 1) "%"))))

(define (cost-table programs costs timing)
  (define (ratio cost program) (ratio-of (timing program (car cost)) (timing program (cadr cost))))
  (newline)
  (table-row "what costs time" (map caddr costs) (map (lambda (cost) 18) costs))
  (for-each (lambda (program) (table-row program (map (lambda (cost) (cost->text (ratio cost program))) costs) (map (lambda (cost) 18) costs))) programs)
  (table-row "mean"
             (map (lambda (cost) (cost->text (geometric-mean (map (lambda (program) (ratio cost program)) programs)))) costs)
             (map (lambda (cost) 18) costs)))

;; ---- JSON -----------------------------------------------------------------------------------------------

(define (write-json path programs engines timing reference)
  (define (pairs items) (string-join items ", "))
  (define (number x) (decimals x 6))
  (call-with-output-file path
    (lambda (port)
      (display
       (text "{\n  \"reference\": \"" reference "\",\n  \"programs\": {\n"
             (string-join
              (map (lambda (program)
                     (text "    \"" program "\": {\n"
                           (string-join
                            (filter-map
                             (lambda (engine)
                               (let ((t (timing program engine)))
                                 (and t
                                      (text "      \"" engine "\": {"
                                            (pairs (list (text "\"seconds\": " (number (timing-seconds t)))
                                                         (text "\"spread\": " (number (timing-spread t)))
                                                         (text "\"KiB\": " (timing-memory t))))
                                            "}"))))
                             engines)
                            ",\n")
                           "\n    }"))
                   programs)
              ",\n")
             "\n  }\n}\n")
       port))))

;; ---- the chart: a row for each program, a dot for each engine, how often the time of gcc -O2 ---------------

(define colours '("#d62728" "#1f77b4" "#2ca02c" "#9467bd" "#8c564b" "#e377c2" "#7f7f7f" "#bcbd22" "#17becf" "#ff7f0e"))

(define (write-chart path programs engines timing)
  (let* ((shown (cons "comet" (filter (lambda (e) (not (member e '("comet" "gcc-O2")))) engines)))
         (ratio (lambda (program engine)
                  (if program
                      (ratio-of (timing program engine) (timing program "gcc-O2"))
                      (and (every (lambda (p) (timing p engine)) programs)
                           (geometric-mean (map (lambda (p) (ratio-of (timing p engine) (timing p "gcc-O2")))
                                                programs))))))
         (rows (append programs '(#f)))
         (left 110) (right 760) (top 70) (row-height 30)
         (bottom (+ top (* row-height (length rows))))
         (most 256.0) (least 0.5)
         (x (lambda (value)
              (+ left (* (- right left) (/ (log (/ (max least (min most value)) least)) (log (/ most least)))))))
         (y (lambda (row) (+ top (* row-height (+ row 1/2)))))
         (colour (lambda (engine) (list-ref colours (modulo (list-index (lambda (e) (string=? e engine)) shown) 10)))))
    (write-svg
     path 900 (+ bottom 40)
     (append
      `((text ((x ,left) (y 24) (font-size 16)) "Time relative to gcc -O2; logarithmic, less is better. Lines: half of the runs"))
      (map (lambda (value)
             `(g () (line ((x1 ,(x value)) (x2 ,(x value)) (y1 ,top) (y2 ,bottom) (stroke "#ddd")))
                 (text ((x ,(x value)) (y ,(+ bottom 18)) (text-anchor middle))   ,(text value "×"))))
           '(1 2 4 8 16 32 64 128 256))
      (map (lambda (engine n)
             `(g () (circle ((cx ,(+ right 30)) (cy ,(+ top 10 (* 20 n))) (r 5) (fill ,(colour engine))))
                 (text ((x ,(+ right 42)) (y ,(+ top 14 (* 20 n)))) ,engine)))
           shown (iota (length shown)))
      (append-map
       (lambda (program row)
         (cons
          `(g () (line ((x1 ,left) (x2 ,right) (y1 ,(y row)) (y2 ,(y row)) (stroke "#eee")))
              (text ((x ,(- left 10)) (y ,(+ (y row) 4)) (text-anchor end) (font-weight ,(if program "normal" "bold")))
                    ,(or program "mean of all")))
          (filter-map
           (lambda (engine)
             (let ((r (ratio program engine)))
               (and r
                    `(g ()
                         (title () ,(text engine ": " (decimals (ratio-value r) 2) ", within " (decimals (* 100 (ratio-spread r)) 1) "%"))
                         (line ((x1 ,(x (* (ratio-value r) (max 0.01 (- 1 (ratio-spread r)))))) (x2 ,(x (* (ratio-value r) (+ 1 (ratio-spread r)))))
                                (y1 ,(y row)) (y2 ,(y row)) (stroke ,(colour engine)) (stroke-width 2)))
                         (circle ((cx ,(x (ratio-value r))) (cy ,(y row)) (r ,(if (string=? engine "comet") 7 5))
                                  (fill ,(colour engine)) (fill-opacity 0.85)))
                         ,@(if (string=? engine "comet")
                               `((text ((x ,(x (ratio-value r))) (y ,(- (y row) 9)) (text-anchor middle) (font-size 10)
                                        (fill ,(colour engine)))
                                       ,(decimals (ratio-value r) 1)))
                               '())))))
           (reverse shown))))
       rows (iota (length rows)))))))

;; ---- all of it ------------------------------------------------------------------------------------------

(define (show-all programs engines costs timing reference spreads)
  (ratio-table programs engines timing "gcc-O2")
  (if (not (string=? reference "gcc-O2"))
      (begin (newline) (ratio-table programs engines timing reference)))
  (show-means programs engines timing reference)
  (if (pair? costs) (cost-table programs costs timing))
  (show "\nCPU seconds, medians; ~1: the spread is larger than the difference. "
        (if (pair? spreads)
            (text "Noise: half of the runs are within " (decimals (* 100 (quantile 1/2 spreads)) 1)
                  "% of their median, and at worst " (decimals (* 100 (apply max spreads)) 1)
                  "%; what ran fewer than " fewest-runs " times is taken for as noisy as that.\n")
            (text "Fewer than " fewest-runs " rounds do not tell the noise.\n"))))

;; programs, engines: their names, in order, with blanks between.
(define (report folder programs engines reference)
  (let* ((results (read-results (path-expand "results.txt" folder)))
         (programs (measured-of programs car results))
         (measured (measured-of engines cadr results))
         (engines (remove cost-engine? measured))
         (costs (filter (lambda (cost) (and (member (car cost) measured) (member (cadr cost) measured))) costs))
         (known (make-table test: equal?))
         (timing (lambda (program engine) (table-ref known (list program engine) #f))))
    (for-each (lambda (program)
                (for-each (lambda (engine)
                            (let ((t (timing-of results program engine)))
                              (if t (table-set! known (list program engine) t))))
                          measured))
              programs)
    (let ((spreads (assume-spreads! (map cdr (table->list known)))))
      (show-all programs engines costs timing reference spreads))
    (write-json (path-expand "results.json" folder) programs measured timing reference)
    (write-chart (path-expand "chart.svg" folder) programs engines timing)
    (show "Written: " (path-expand "results.json" folder) ", " (path-expand "chart.svg" folder) "\n")))
