;; Flame graphs: each call is a bar, as wide as its share of the instructions, on the bar of its caller.
;;
;;   (write-flame-graph "fib.svg" "fib.s" (profile-stacks p m))
;;
;; Bars of one caller stand in the order of their names, so that two pictures can be compared. Bars too narrow to
;; be seen are left out. Whoever points at a bar reads its name, instructions and share.

(module scheme-lib/flame-graph)
(use scheme-lib/util)
(use scheme-lib/svg)
(use scheme-lib/profile)

;; A name with all that was counted on it, itself or above; children by name.
(define-type frame
  constructor: make-frame
  name total children)

;; stacks: (((name …) . count) …), sorted, so those that share a beginning stand together.
(define (grow name stacks)
  (let loop ((stacks stacks) (total 0) (children '()))
    (cond ((null? stacks) (make-frame name total (reverse children)))
          ((null? (caar stacks)) (loop (cdr stacks) (+ total (cdar stacks)) children))
          (else
           (let ((next (car (caar stacks))))
             (receive (mine others) (together next stacks)
               (let ((child (grow next mine)))
                 (loop others (+ total (frame-total child)) (cons child children)))))))))

;; The stacks that begin with a name, without it, and those behind them.
(define (together name stacks)
  (let loop ((stacks stacks) (mine '()))
    (if (and (pair? stacks) (pair? (caar stacks)) (string=? name (car (caar stacks))))
        (loop (cdr stacks) (cons (cons (cdr (caar stacks)) (cdar stacks)) mine))
        (values (reverse mine) stacks))))

(define width 1200)
(define margin 10)
(define row 18)
(define top 46)
(define narrowest 0.3)
(define letter 6.6) ; pixels of one, of the font below

(define (deepest frame scale)
  (+ 1 (fold (lambda (child depth) (if (seen? child scale) (max depth (deepest child scale)) depth)) 0 (frame-children frame))))
(define (seen? frame scale) (>= (* scale (frame-total frame)) narrowest))

;; Warm colours, the same for a name wherever it stands.
(define (colour name)
  (let ((hash (fold (lambda (c sum) (modulo (+ (* 31 sum) (char->integer c)) 65521)) 7 (string->list name))))
    (text "hsl(" (+ 12 (modulo hash 43)) ",85%," (+ 62 (modulo (quotient hash 43) 13)) "%)")))

(define (fitting name room)
  (let ((letters (inexact->exact (floor (/ (- room 6) letter)))))
    (cond ((<= (string-length name) letters) name)
          ((< letters 3) #f)
          (else (string-append (substring name 0 (- letters 2)) "…")))))

(define (bars frame x depth whole scale y)
  (let* ((wide (* scale (frame-total frame))) (label (fitting (frame-name frame) wide)))
    (cons `(g ()
              (title () ,(text (frame-name frame) ": " (grouped (frame-total frame)) " instructions, " (share-text (frame-total frame) whole)))
              (rect ((x ,x) (y ,(y depth)) (width ,(max narrowest (- wide 0.5))) (height ,(- row 1)) (rx 1.5)
                     (fill ,(if (= depth 0) "#d8d8d8" (colour (frame-name frame))))))
              ,@(if label `((text ((x ,(+ x 3)) (y ,(+ (y depth) 13))) ,label)) '()))
          (let loop ((children (frame-children frame)) (x x) (drawn '()))
            (if (null? children)
                (append-map (lambda (bars) bars) (reverse drawn))
                (loop (cdr children)
                      (+ x (* scale (frame-total (car children))))
                      (if (seen? (car children) scale)
                          (cons (bars (car children) x (+ depth 1) whole scale y) drawn)
                          drawn)))))))

(define-documented (write-flame-graph path title stacks)
  "Writes stacks, as profile-stacks gives them, to a file as a drawing (SVG) for browsers; the outermost call is at the
bottom."
  (let* ((root (grow "all" stacks))
         (whole (max 1 (frame-total root)))
         (scale (/ (- width (* 2 margin)) (exact->inexact whole)))
         (depth (deepest root scale))
         (height (+ top (* row depth) margin)))
    (write-svg path width height
               (list `(text ((x ,margin) (y 24) (font-size 16)) ,title)
                     `(text ((x ,(- width margin)) (y 24) (text-anchor end) (fill "#666"))
                            ,(text (grouped whole) " instructions; width: share; above: what is called"))
                     `(g ((font-family "monospace") (font-size 11))
                         ,@(bars root margin 0 whole scale (lambda (level) (+ top (* row (- depth level 1))))))))))
