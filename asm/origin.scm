;; Where in a source's Scheme the lists were made that became instructions: for errors, listings, and a debugger
;; that goes into macros.
;;
;; A list remembers the calls that were under way when `list` made it, the outermost first. The first place stands
;; in the statement's own text; each further one lies in a procedure, a macro, that the one before it calls.
;;
;;   (map place-macro (origin-places origins (origins-of origins (car code))))   => (#f "repeat" "step")
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

;; What a pass remembers.
(define-type origins
  prefix    ; what names of the source's own procedures begin with
  lists     ; list -> two continuations, when it was made and when the statement's Scheme began, and the place in a
            ; library's macro that made it, or #f
  places)   ; frame of a continuation -> the places that led there, the innermost first

(define (new-origins prefix)
  (make-origins prefix (make-table test: eq? weak-keys: #t) (make-table test: eq?)))

;; To look at the calls takes much longer than to remember them, and is for the last pass only.
(define (origins-note! origins list inner outer macro)
  (table-set! (origins-lists origins) list (vector inner outer macro)))

;; For `origin-places`; #f where nothing is known of the list.
(define (origins-of origins list)
  (table-ref (origins-lists origins) list #f))

(define most-places 8)

;; The places that led to a list, the outermost first. The assembler's calls and those of libraries are none; local
;; procedures count as the macro that they stand in. Of a deep recursion the innermost are given.
(define (origin-places origins origin)
  (if origin
      (reverse (take-at-most
                (frame-places origins
                              (##continuation-first-frame (vector-ref origin 0) #f)
                              (frame-of (##continuation-first-frame (vector-ref origin 1) #f)))
                most-places))
      '()))

;; Lists that one call made share its frame and all those around it, whose places are found once.
(define (frame-places origins continuation end)
  (let loop ((at continuation) (new '()))
    (let ((known (if (or (not at) (eq? (frame-of at) end))
                     '()
                     (table-ref (origins-places origins) (frame-of at) #f))))
      (if known
          (fold (lambda (at places)
                  (let ((places (add-call origins at places)))
                    (table-set! (origins-places origins) (frame-of at) places)
                    places))
                known
                new)
          (loop (##continuation-next-frame at #f) (cons at new))))))

;; The place in a library's macro, in a list, or none.
(define (origin-macros origin)
  (if (and origin (vector-ref origin 2)) (list (vector-ref origin 2)) '()))

(define (frame-of continuation)
  (and continuation (##continuation-frame continuation)))

(define (add-call origins at places)
  (let ((locat (##continuation-locat at)))
    (if (not (and locat (##container->path (##locat-container locat))))
        places
        (let* ((creator (##continuation-creator at))
               (symbol (and creator (##procedure-name creator)))
               (name (if symbol (symbol->string symbol) ""))
               (prefix (origins-prefix origins)))
          (cond ((string-prefix? "asm/" name) places)
                ((string-prefix? prefix name)
                 (cons (locat->place locat (substring name (string-length prefix) (string-length name))) places))
                ((pair? places) (cons (locat->place locat (place-macro (car places))) (cdr places)))
                (else (list (locat->place locat #f))))))))

(define (locat->place locat macro)
  (let ((position (##position->filepos (##locat-position locat)))
        (container (##locat-container locat)))
    (make-place macro
                (nearer-path (if (string? container) container (##container->path container)))
                (+ 1 (##filepos-line position))
                (+ 1 (##filepos-col position)))))

;; A file that Gambit includes has its whole path, which would be another one on another host.
(define (nearer-path path)
  (if (string-prefix? (current-directory) path)
      (substring path (string-length (current-directory)) (string-length path))
      path))

;; ---- tail calls --------------------------------------------------------------------------------------

;; A procedure that ends with a call is not among the calls under way any more, and what it made would seem to be
;; its caller's. So definitions of procedures that make lists, or call others of the source, keep their calls: but not
;; those that may go round in them, for which memory would grow with each round.
;; names: what the source defines.
(define (keep-calls source names)
  (let ((code (source-code source)))
    (cond ((not (and (list? code) (pair? code))) source)
          ((memq (##desourcify (car code)) '(begin ##begin))
           (resourcify source (cons (car code) (map (lambda (part) (keep-calls part names)) (cdr code)))))
          ((and (eq? (##desourcify (car code)) 'define) (procedure-definition code))
           => (lambda (parts)
                (let ((body (map ##desourcify (cdr parts))))
                  (if (and (mentions? body (cons 'list names))
                           (not (goes-round? body (defined-name (##desourcify (cadr code))))))
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
