;; A why as a picture: the value on top, what it was made from below it, in layers; lines run from below into what was
;; made from them.
;;
;;   (write-why-svg "r5.svg" (why 'r5))
;;
;; Layers are by the longest way from the top. A line over several layers bends in each (a *bend* takes a place
;; between the boxes there). Boxes are put in an order in which they stand below what they lead to, then moved to
;; there as far as their neighbours let them.

(module debugger/why-drawing)
(use scheme-lib/util)
(use scheme-lib/svg)
(use debugger/program)
(use debugger/why)

(define character 7.3) ; width of a character of 12 pixels
(define line-height 16)
(define gap 24)        ; between boxes
(define rise 44)       ; between layers
(define margin 20)
(define bend-width 8)
(define sweeps 6)

;; why: #f for a bend; x: of the middle; above, below: boxes that lines go to
(define-type box
  constructor: make-box
  why lines layer x width above below)

(define (new-box why layer)
  (let ((lines (if why (why-lines why) '())))
    (make-box why lines layer 0
              (if why (+ 20 (* character (fold max 0 (map string-length lines)))) bend-width)
              '() '())))

(define (why-lines why)
  (let ((address (why-address why)))
    (append (list (why-title why))
            (cond (address
                   (list (why-instruction why)
                         (text "at " (why-count why) ", " (address-text address)
                               (source-of address))))
                  ((why-value why) '("from the start"))
                  (else '()))
            (if (why-sources why) '() '("and so on")))))

;; ", loop.s:12"
(define (source-of address)
  (let ((line (line-at address)))
    (if line (text ", " (path-strip-directory (place-file line)) ":" (place-line line)) "")))

;; ---- layers ----------------------------------------------------------------------------------------

;; All whys with their layers: ((why . layer) …), the top first.
(define (layers-of top)
  (let ((found '()))
    (let visit ((why top) (layer 0))
      (let ((known (assq why found)))
        (if (or (not known) (< (cdr known) layer))
            (begin
              (if known (set-cdr! known layer) (set! found (cons (cons why layer) found)))
              (for-each (lambda (source) (visit source (+ layer 1))) (or (why-sources why) '()))))))
    (reverse found)))

(define (join! upper lower)
  (box-below-set! upper (append (box-below upper) (list lower)))
  (box-above-set! lower (append (box-above lower) (list upper))))

;; The boxes and bends of a why, a list for each layer.
(define (boxes-of top)
  (let* ((boxes (map (lambda (entry) (new-box (car entry) (cdr entry))) (layers-of top)))
         (all boxes)
         (of (lambda (why) (find (lambda (box) (eq? (box-why box) why)) boxes))))
    (define (lead! upper lower)
      (if (= (+ (box-layer upper) 1) (box-layer lower))
          (join! upper lower)
          (let ((bend (new-box #f (+ (box-layer upper) 1))))
            (set! all (append all (list bend)))
            (join! upper bend)
            (lead! bend lower))))
    (for-each (lambda (box)
                (for-each (lambda (source) (lead! box (of source)))
                          (delete-duplicates (or (why-sources (box-why box)) '()) eq?)))
              boxes)
    (map (lambda (layer) (filter (lambda (box) (= (box-layer box) layer)) all))
         (iota (+ 1 (fold max 0 (map box-layer all)))))))

;; ---- places ----------------------------------------------------------------------------------------

(define (mean boxes otherwise)
  (if (null? boxes) otherwise (/ (fold + 0 (map box-x boxes)) (length boxes))))

(define (room left right) (+ gap (/ (+ (box-width left) (box-width right)) 2)))

;; Places in order: as wished, but no nearer to each other than there is room for.
(define (push wishes boxes)
  (let loop ((boxes boxes) (wishes wishes) (before #f) (places '()))
    (if (null? boxes)
        (reverse places)
        (let ((place (if before (max (car wishes) (+ (car places) (room before (car boxes)))) (car wishes))))
          (loop (cdr boxes) (cdr wishes) (car boxes) (cons place places))))))

;; As far to the left as to the right of what was wished.
(define (settle! boxes wishes)
  (let ((right (push wishes boxes))
        (left (reverse (map - (push (reverse (map - wishes)) (reverse boxes))))))
    (for-each (lambda (box a b) (box-x-set! box (/ (+ a b) 2))) boxes right left)))

(define (arrange! layers)
  (define (line-up! boxes) (settle! boxes (map box-x boxes)))
  (define (towards! boxes side)
    (settle! boxes (map (lambda (box) (mean (side box) (box-x box))) boxes)))
  (define (in-order boxes side)
    (map cdr (sort (map (lambda (box) (cons (mean (side box) (box-x box)) box)) boxes)
                   (lambda (a b) (< (car a) (car b))))))
  (define (ordered-below! boxes)
    (let ((boxes (in-order boxes box-above)))
      (towards! boxes box-above)
      boxes))
  (for-each line-up! layers)
  (let loop ((n sweeps) (layers layers))
    (if (= n 0)
        layers
        (let ((layers (map ordered-below! layers)))
          (for-each (lambda (boxes) (towards! boxes box-below)) (reverse layers))
          (loop (- n 1) layers)))))

;; ---- drawing ---------------------------------------------------------------------------------------

(define (box-height box) (+ 10 (* line-height (length (box-lines box)))))

(define (box-elements box x y)
  (let* ((width (box-width box)) (left (- x (/ width 2))) (start? (not (why-address (box-why box)))))
    (cons `(rect ((x ,left) (y ,y) (width ,width) (height ,(box-height box)) (rx 4)
                  (fill ,(cond ((= 0 (box-layer box)) "#ddf4ff") (start? "#f6f8fa") (else "#fffbe6")))
                  (stroke "#57606a")
                  ,@(if start? '((stroke-dasharray "4 3")) '())))
          (map (lambda (line n)
                 `(text ((x ,(+ left 10)) (y ,(+ y 2 (* line-height (+ n 1)))) (font-family "monospace")
                         ,@(if (= n 0) '((font-weight "bold")) '()) (fill ,(if (= n 2) "#57606a" "black")))
                        ,line))
               (box-lines box)
               (iota (length (box-lines box)))))))

(define (curve x y to-x to-y)
  (let ((half (/ (+ y to-y) 2)))
    `(path ((fill "none") (stroke "#57606a")
            (d ,(string-join (map number (list "M" x y "C" x half to-x half to-x to-y)) " "))))))

(define (number value) (if (string? value) value (text (inexact->exact (round value)))))

(define (arrow x y)
  `(path ((fill "#57606a")
          (d ,(string-join (map number (list "M" x y "L" (- x 4) (+ y 9) "L" (+ x 4) (+ y 9) "Z")) " ")))))

(define-documented (write-why-svg path top)
  "Writes a why as a picture: the value on top, and below it what it was made from."
  (let* ((layers (arrange! (boxes-of top)))
         (all (apply append layers))
         (left (apply min (map (lambda (box) (- (box-x box) (/ (box-width box) 2))) all)))
         (right (apply max (map (lambda (box) (+ (box-x box) (/ (box-width box) 2))) all)))
         (x (lambda (box) (+ margin (- (box-x box) left))))
         (heights (map (lambda (boxes) (fold max 0 (map box-height boxes))) layers))
         (tops (let loop ((heights heights) (y margin))
                 (if (null? heights) '() (cons y (loop (cdr heights) (+ y (car heights) rise))))))
         (y (lambda (box) (list-ref tops (box-layer box))))
         (bottom (lambda (box) (+ (y box) (if (box-why box) (box-height box) (list-ref heights (box-layer box)))))))
    (write-svg path
               (inexact->exact (ceiling (+ (- right left) (* 2 margin))))
               (+ (apply max (map + tops heights)) margin)
               (append
                (append-map
                 (lambda (box)
                   (append
                    (if (box-why box) '() (list (curve (x box) (y box) (x box) (bottom box))))
                    (map (lambda (lower) (curve (x box) (bottom box) (x lower) (y lower))) (box-below box))
                    (if (and (box-why box) (pair? (box-below box))) (list (arrow (x box) (bottom box))) '())))
                 all)
                (append-map (lambda (box) (if (box-why box) (box-elements box (x box) (y box)) '())) all)))))
