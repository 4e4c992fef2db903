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

(define (in-order-of-appearance key results) (delete-duplicates (map key results)))

;; The value that a fraction of the numbers is not above.
(define (quantile fraction numbers)
  (let* ((sorted (list->vector (sort numbers <)))
         (place (* fraction (- (vector-length sorted) 1)))
         (below (inexact->exact (floor place)))
         (above (min (+ below 1) (- (vector-length sorted) 1))))
    (+ (vector-ref sorted below)
       (* (- place below) (- (vector-ref sorted above) (vector-ref sorted below))))))

;; Of one program on one engine: the median of its seconds, and how far half of them are from it, as a fraction.
(define-type timing seconds spread memory)

(define (timing-of results program engine)
  (let ((mine (filter (lambda (r) (and (string=? (car r) program) (string=? (cadr r) engine))) results)))
    (and (pair? mine)
         (let* ((seconds (map caddr mine)) (median (max (quantile 1/2 seconds) 1e-6)))
           (make-timing median
                        (/ (- (quantile 3/4 seconds) (quantile 1/4 seconds)) 2 median)
                        (apply max (map cadddr mine)))))))

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

(define (table-row name cells width)
  (show (string-pad-right name 16) (apply text (map (lambda (cell) (string-pad-left cell width)) cells)) "\n"))

;; Of all engines over one of them, whose own column has seconds.
(define (ratio-table programs engines timing base)
  (define (ratios engine programs)
    (map (lambda (p) (ratio-of (timing p engine) (timing p base))) programs))
  (let ((eight (filter (lambda (p) (member p programs)) first-eight))
        (others (delete base engines))
        (width (+ 2 (apply max 8 (map string-length engines)))))
    (define (row name cells) (table-row name cells width))
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
      `((text ((x ,left) (y 24) (font-size 16)) "Time relative to gcc -O2; logarithmic, less is better"))
      (map (lambda (value)
             `(g () (line ((x1 ,(x value)) (x2 ,(x value)) (y1 ,top) (y2 ,bottom) (stroke "#ddd")))
                 (text ((x ,(x value)) (y ,(+ bottom 18)) (text-anchor middle)) ,(number->string value))))
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
                    `(circle ((cx ,(x (ratio-value r))) (cy ,(y row)) (r ,(if (string=? engine "comet") 7 5))
                              (fill ,(colour engine)) (fill-opacity 0.85))
                             (title () ,(text engine ": " (decimals (ratio-value r) 2)))))))
           (reverse shown))))
       rows (iota (length rows)))))))

;; ---- all of it ------------------------------------------------------------------------------------------

(define (report folder #!optional (reference "comet"))
  (let* ((results (read-results (path-expand "results.txt" folder)))
         (programs (in-order-of-appearance car results))
         (engines (in-order-of-appearance cadr results))
         (known (make-table test: equal?))
         (timing (lambda (program engine) (table-ref known (list program engine) #f))))
    (for-each (lambda (program)
                (for-each (lambda (engine)
                            (let ((t (timing-of results program engine)))
                              (if t (table-set! known (list program engine) t))))
                          engines))
              programs)
    (ratio-table programs engines timing "gcc-O2")
    (if (not (string=? reference "gcc-O2"))
        (begin (newline) (ratio-table programs engines timing reference)))
    (let ((spreads (map (lambda (entry) (timing-spread (cdr entry))) (table->list known))))
      (show "\nCPU seconds, medians; ~1: the spread is larger than the difference. Noise: half of the runs are within "
            (decimals (* 100 (quantile 1/2 spreads)) 1) "% of their median, and at worst "
            (decimals (* 100 (apply max spreads)) 1) "%.\n"))
    (write-json (path-expand "results.json" folder) programs engines timing reference)
    (write-chart (path-expand "chart.svg" folder) programs engines timing)
    (show "Written: " (path-expand "results.json" folder) ", " (path-expand "chart.svg" folder) "\n")))
