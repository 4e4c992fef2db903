;; Where in a source's Scheme the lists were made that became instructions: for errors, listings, and a debugger
;; that goes into macros.
;;
;; A list remembers the calls that were under way when `list` made it, the outermost first. The first place stands
;; in the statement's own text; each further one lies in a procedure, a macro, that the one before it calls.
;;
;;   (map place-macro (origins-of origins (car code)))   => (#f "repeat" "step")
(module asm/origin)
(use scheme-lib/util)
(use asm/diagnostic)
(declare (standard-bindings) (extended-bindings) (block))

(define-type place
  macro     ; the name of the procedure, or #f for the statement's own text
  file line column)


(define (where place)
  (place->text (place-file place) (place-line place) (place-column place)))

(define (place->note place)
  (if (place-macro place)
      (text "in `" (place-macro place) "`, " (where place))
      (text "called from " (where place))))

;; ---- calls -------------------------------------------------------------------------------------------

(define most-frames 200)
(define most-places 8)

;; The source's places among the calls that `inner` has more than `outer`, the outermost first. Those of the
;; assembler and of libraries are none. Local procedures count as the macro that they stand in. Of a deep
;; recursion the innermost are given.
;; prefix: what names of the source's own procedures begin with.
(define (continuation->places inner outer prefix)
  (let ((end (frame-of (##continuation-first-frame outer #f))))
    (let loop ((frame (##continuation-first-frame inner #f)) (left most-frames) (calls '()))
      (if (or (not frame) (= left 0) (eq? (frame-of frame) end))
          (innermost most-places (calls->places calls prefix))
          (let ((call (frame->call frame)))
            (loop (##continuation-next-frame frame #f)
                  (- left 1)
                  (if call (cons call calls) calls)))))))

(define (frame-of continuation)
  (and continuation (##continuation-frame continuation)))

;; (procedure's name or #f . position), or #f where the source has no part in it.
(define (frame->call frame)
  (let ((locat (##continuation-locat frame)))
    (and locat
         (##container->path (##locat-container locat))
         (let* ((creator (##continuation-creator frame))
                (name (and creator (##procedure-name creator))))
           (and (not (and name (string-prefix? "asm/" (symbol->string name))))
                (cons name locat))))))

(define (calls->places calls prefix)
  (let loop ((calls calls) (places '()))
    (if (null? calls)
        (reverse places)
        (let* ((name (and (caar calls) (symbol->string (caar calls))))
               (place (locat->place (cdar calls)
                                    (cond ((and name (string-prefix? prefix name))
                                           (substring name (string-length prefix) (string-length name)))
                                          ((pair? places) (place-macro (car places)))
                                          (else #f)))))
          (loop (cdr calls)
                (cons place
                      (if (and (pair? places) (not (and name (string-prefix? prefix name))))
                          (cdr places)
                          places)))))))

(define (locat->place locat macro)
  (let ((position (##position->filepos (##locat-position locat)))
        (container (##locat-container locat)))
    (make-place macro
                (if (string? container) container (##container->path container))
                (+ 1 (##filepos-line position))
                (+ 1 (##filepos-col position)))))

(define (innermost count places)
  (list-tail places (max 0 (- (length places) count))))

;; ---- lists -------------------------------------------------------------------------------------------

(define (make-origins)
  (make-table test: eq? weak-keys: #t))

(define (origins-note! origins list places)
  (table-set! origins list places))

;; () where nothing is known of it.
(define (origins-of origins list)
  (table-ref origins list '()))

;; ---- tail calls --------------------------------------------------------------------------------------

;; A procedure that ends with a call is not among the calls under way any more, and what it made would seem to be
;; its caller's. So definitions of procedures that make lists keep their calls: but not those that may go round in
;; them, for which memory would grow with each round.
(define (keep-calls source)
  (let ((code (source-code source)))
    (cond ((not (and (list? code) (pair? code))) source)
          ((memq (##desourcify (car code)) '(begin ##begin))
           (resourcify source (cons (car code) (map keep-calls (cdr code)))))
          ((and (eq? (##desourcify (car code)) 'define) (procedure-definition code))
           => (lambda (parts)
                (let ((body (map ##desourcify (cdr parts))))
                  (if (and (mentions? body '(list)) (not (goes-round? body (defined-name (##desourcify (cadr code))))))
                      (resourcify source ((car parts) '(declare (not proper-tail-calls)) (cdr parts)))
                      source))))
          (else source))))

(define (source-code x)
  (if (##source? x) (##source-code x) x))

(define (resourcify source code)
  (if (##source? source) (##make-source code (##source-locat source)) code))

;; A pair of how to put it together again, with something before the body, and the body.
(define (procedure-definition code)
  (define (put-before declaration body)
    (cons* (car code) (cadr code) declaration body))
  (and (pair? (cdr code))
       (pair? (cddr code))
       (let ((value (source-code (caddr code))))
         (cond ((pair? (source-code (cadr code))) (cons put-before (cddr code)))
               ((and (null? (cdddr code)) (list? value) (> (length value) 2)
                     (eq? (##desourcify (car value)) 'lambda))
                (cons (lambda (declaration body)
                        (list (car code) (cadr code)
                              (resourcify (caddr code) (cons* (car value) (cadr value) declaration body))))
                      (cddr value)))
               (else #f)))))

(define (defined-name target)
  (if (pair? target) (defined-name (car target)) target))

(define (goes-round? body name)
  (or (mentions? body (list name 'do))
      (let walk ((x body))
        (and (pair? x)
             (or (and (eq? (car x) 'let) (pair? (cdr x)) (symbol? (cadr x)))
                 (walk (car x))
                 (walk (cdr x)))))))

(define (mentions? x names)
  (cond ((symbol? x) (memq x names))
        ((pair? x) (or (mentions? (car x) names) (mentions? (cdr x) names)))
        (else #f)))
