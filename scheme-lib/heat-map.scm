;; Heat maps of memory: how often each place was read, written and executed.
;;
;;   (write-heat-map "sieve.svg" "sieve.s" p (lambda (address) "table"))
;;
;; Three maps stand side by side, with a row for each page of 64 KiB and a cell for each kilobyte. Where there are
;; more pages than rows, a cell is 2, 4, 8 … times as large. Of samples the cells are larger too. Rows without any access are
;; left out; a gap shows where. Colours are logarithmic.

(module scheme-lib/heat-map)
(use scheme-lib/util)
(use scheme-lib/svg)
(use scheme-lib/profile)

(define columns 64)
(define most-rows 64)
(define most-rows-of-samples 16)
(define cell-width 5)
(define gap 8)       ; above a row that does not follow on the one before it
(define left 120)    ; of the first map, for addresses
(define between 24)
(define top 70)
(define map-width (* columns cell-width))

;; Bytes of a drawn cell: so many that the rows suffice.
(define (cell-size cells most-rows)
  (let loop ((size 1024))
    (if (or (<= (length (rows-of cells size)) most-rows) (>= size (expt 2 58))) size (loop (* 2 size)))))

(define (rows-of cells size)
  (delete-repeated (map (lambda (cell) (quotient (cell-address cell) (* columns size))) cells)))

(define (delete-repeated sorted)
  (let loop ((sorted sorted) (found '()))
    (cond ((null? sorted) (reverse found))
          ((and (pair? found) (= (car sorted) (car found))) (loop (cdr sorted) found))
          (else (loop (cdr sorted) (cons (car sorted) found))))))

(define (sums-by-cell cells size count)
  (let ((sums (make-table)))
    (for-each (lambda (cell)
                (let ((number (quotient (cell-address cell) size)))
                  (if (> (count cell) 0) (table-set! sums number (+ (count cell) (table-ref sums number 0))))))
              cells)
    sums))

;; From pale to dark as the share of the logarithm of the most goes from 0 to 1.
(define (colour from to share)
  (text "rgb(" (string-join (map (lambda (a b) (text (inexact->exact (round (+ a (* share (- b a))))))) from to) ",") ")"))

(define (size-text bytes)
  (let loop ((n bytes) (units '("bytes" "KiB" "MiB" "GiB" "TiB" "PiB")))
    (if (and (>= n 1024) (pair? (cdr units))) (loop (quotient n 1024) (cdr units)) (text n " " (car units)))))

(define maps
  (list (list "reads" cell-reads '(222 235 247) '(8 48 107))
        (list "writes" cell-writes '(254 230 206) '(140 35 4))
        (list "execution" cell-executions '(229 245 224) '(0 68 27))))

(define-documented (write-heat-map path title profile name)
  "Writes how often memory was touched to a file as a drawing (SVG) for browsers. NAME gives a text for an address, or
#f."
  (let* ((cells (profile-accesses profile))
         (size (cell-size cells (if (profile-sampled? profile) most-rows-of-samples most-rows)))
         (rows (rows-of cells size))
         (row-height (if (> (length rows) 32) 10 20))
         (places (let loop ((rows rows) (before #f) (y top) (places '()))
                   (if (null? rows)
                       (reverse places)
                       (let ((y (if (and before (> (car rows) (+ before 1))) (+ y gap) y)))
                         (loop (cdr rows) (car rows) (+ y row-height) (cons (cons (car rows) y) places))))))
         (y-of (list->table places))
         (bottom (+ row-height (fold (lambda (place most) (max most (cdr place))) top places)))
         (width (+ left (* 3 map-width) (* 2 between) 20)))
    (define (draw-map map x)
      (let* ((sums (sums-by-cell cells size (cadr map)))
             (most (fold max 1 (map-values sums)))
             (share (lambda (count) (if (= most 1) 1 (/ (log count) (log most))))))
        (append
         (list `(text ((x ,x) (y ,(- top 10)) (font-weight bold)) ,(car map))
               `(text ((x ,(+ x map-width)) (y ,(- top 10)) (text-anchor end) (fill "#666"))
                      ,(if (= 0 (table-length sums)) "none" (text "at most " (grouped most) " a cell"))))
         (map-over places
                   (lambda (place)
                     `(rect ((x ,x) (y ,(cdr place)) (width ,map-width) (height ,(- row-height 1)) (fill "#f4f4f4")))))
         (map-over (sort (table->list sums) (lambda (a b) (< (car a) (car b))))
                   (lambda (entry)
                     (let* ((number (car entry)) (address (* number size)) (there (name address)))
                       `(rect ((x ,(+ x (* cell-width (modulo number columns))))
                               (y ,(table-ref y-of (quotient number columns)))
                               (width ,cell-width) (height ,(- row-height 1))
                               (fill ,(colour (caddr map) (cadddr map) (share (cdr entry)))))
                              (title () ,(text (hex-address address) (if there (text " " there) "") ": "
                                               (grouped (cdr entry)) " " (car map))))))))))
    (write-svg path width (+ bottom 20)
               (append
                (list `(text ((x 10) (y 24) (font-size 16)) ,title)
                      `(text ((x ,(- width 20)) (y 24) (text-anchor end) (fill "#666"))
                             ,(text "a cell: " (size-text size) "; a row: " (size-text (* columns size)) "; colours are logarithmic")))
                (map-over places
                          (lambda (place)
                            `(text ((x ,(- left 10)) (y ,(+ (cdr place) (quotient row-height 2) 3)) (text-anchor end) (font-family "monospace")
                                    (font-size 10))
                                   ,(hex-address (* (car place) columns size)))))
                (append-map (lambda (map n) (draw-map map (+ left (* n (+ map-width between))))) maps (iota 3))))))

(define (map-over list procedure) (map procedure list))
(define (map-values table) (map cdr (table->list table)))
