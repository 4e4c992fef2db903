;; Generators: values made at random, which can be made simpler again.
;;
;;   (gen-sample (gen-list (gen-integer 0 99)))   => ((0) () (3 99 1) …)
;;
;; A generator is a procedure without arguments that *draws* integers, each from a range, and makes a value of
;; them. What was drawn, the *choices*, says everything about the value: replaying the choices gives it again,
;; and choices that are fewer or nearer to 0 give a simpler one. So nothing but choices is ever made smaller,
;; and a generator that somebody writes, with gen-map, gen-bind or by calling others, shrinks by itself.

(module scheme-lib/generator)
(use scheme-lib/util)
(declare (block))

;; prefix: choices to be taken again, a list; random-integer: n -> 0 … n-1, or #f: what is not in the prefix is
;; then the simplest; size: from 1 to 100, how large values should become
(define-type source
  (prefix) random-integer size
  (taken)   ; what was drawn, the last first
  (count)   ; how many
  (spans))  ; (start . end) of choices that may be left out together

(define current-source (make-parameter #f))

(define (the-source)
  (or (current-source)
      (error "a generator gives values only to test-property and gen-sample")))

;; ---- drawing ---------------------------------------------------------------------------------------

;; Of the numbers of a range the simplest.
(define (origin low high) (cond ((> low 0) low) ((< high 0) high) (else 0)))

(define-documented (draw low high #!optional (random-value #f))
  "An integer from LOW to HIGH, for generators. RANDOM-VALUE gets a procedure (n -> an integer below n) and a
size from 1 to 100 and gives one; every number is as likely unless it is given."
  (let* ((source (the-source))
         (prefix (source-prefix source))
         (random-integer (source-random-integer source))
         (value (cond ((pair? prefix) (if (<= low (car prefix) high) (car prefix) (origin low high)))
                      ((not random-integer) (origin low high))
                      (random-value (random-value random-integer (source-size source)))
                      (else (+ low (random-integer (+ 1 (- high low))))))))
    (if (pair? prefix) (source-prefix-set! source (cdr prefix)))
    (source-taken-set! source (cons value (source-taken source)))
    (source-count-set! source (+ 1 (source-count source)))
    value))

;; Does a generator whose choices may be left out together.
(define (in-span generator)
  (let* ((source (the-source)) (start (source-count source)) (value (generator)))
    (source-spans-set! source (cons (cons start (source-count source)) (source-spans source)))
    value))

(define-type discarded constructor: make-discarded)

(define-documented (discard!)
  "Gives these inputs up, in a generator or a property: they are no case of what is stated."
  (raise (make-discarded)))

;; What a generator made: its value, the choices behind it, and what of them may be left out.
(define-type chosen
  constructor: make-chosen
  value choices spans)

(define (choices-of chosen) (chosen-choices chosen))

(define (run-generator generator source)
  (parameterize ((current-source source))
    (let ((value (generator)))
      (make-chosen value (reverse (source-taken source)) (source-spans source)))))

(define (generate generator random-integer size)
  (run-generator generator (make-source '() random-integer size '() 0 '())))

(define (replay generator choices)
  (run-generator generator (make-source choices #f 100 '() 0 '())))

;; ---- integers --------------------------------------------------------------------------------------

;; Where machines' arithmetic goes wrong.
(define edges
  (append '(0 1 -1 2 -2)
          (append-map (lambda (bits)
                        (let ((power (expt 2 bits)))
                          (list power (- power 1) (+ power 1) (- power) (- -1 power) (- 1 power))))
                      '(7 8 15 16 31 32 63 64))))

(define (bits-of n) (integer-length n))

(define-documented (gen-integer #!optional (low (- (expt 2 63))) (high (- (expt 2 63) 1)))
  "Integers from LOW to HIGH, of 64 bits and signed unless given: among them often small ones, the ends of the
range, and those near powers of two where words end. They shrink towards 0."
  (if (not (and (exact-integer? low) (exact-integer? high) (<= low high)))
      (error "gen-integer takes two integers, the smaller first, not" low high))
  (let ((special (list->vector
                  (delete-duplicates
                   (filter (lambda (n) (<= low n high)) (append (list low high (+ low 1) (- high 1)) edges)))))
        (start (origin low high)))
    (define (clamped n) (max low (min high n)))
    (lambda ()
      (draw low high
            (lambda (random-integer size)
              (let ((kind (random-integer 10)))
                (cond ((< kind 2) (vector-ref special (random-integer (vector-length special))))
                      ((< kind 6) (clamped (+ start (- (random-integer (+ 1 (* 2 size))) size))))
                      ;; Every length in bits is as likely as any other.
                      (else
                       (let* ((bits (random-integer (+ 1 (bits-of (max (- high start) (- start low))))))
                              (magnitude (random-integer (expt 2 bits))))
                         (clamped (if (= 0 (random-integer 2)) (+ start magnitude) (- start magnitude))))))))))))

(define-documented (gen-register)
  "What a register can hold, 0 to 2^64-1, the edges of signed numbers among them."
  (gen-map u64 (gen-integer (- (expt 2 63)) (- (expt 2 64) 1))))

(define-documented (gen-boolean)
  "#f or #t; #f is simpler."
  (lambda () (= 1 (draw 0 1))))

(define-documented (gen-byte)
  "Integers from 0 to 255."
  (gen-integer 0 255))

;; ---- choices ---------------------------------------------------------------------------------------

(define-documented (gen-constant value)
  "Always VALUE."
  (lambda () value))

(define-documented (gen-choice . values)
  "One of VALUES; the first is the simplest."
  (apply gen-one-of (map gen-constant values)))

(define-documented (gen-one-of . generators)
  "What one of GENERATORS gives; the first is the simplest."
  (if (null? generators) (error "there is nothing to choose from: gen-choice and gen-one-of take at least one"))
  (let ((generators (list->vector generators)))
    (lambda () ((vector-ref generators (draw 0 (- (vector-length generators) 1)))))))

(define-documented (gen-map procedure . generators)
  "PROCEDURE of what GENERATORS give."
  (lambda () (apply procedure (map (lambda (generator) (generator)) generators))))

(define-documented (gen-bind generator procedure)
  "What the generator gives that PROCEDURE makes of a value of GENERATOR."
  (lambda () ((procedure (generator)))))

(define most-tries 100)

(define-documented (gen-where good? generator)
  "The values of GENERATOR for which GOOD? holds. They should not be rare: after 100 others the inputs are
given up."
  (lambda ()
    (let loop ((left most-tries))
      (let ((value (in-span generator)))
        (cond ((good? value) value)
              ((= left 0) (discard!))
              (else (loop (- left 1))))))))

;; ---- sequences -------------------------------------------------------------------------------------

;; Before each element it is drawn whether there is one, so that each can be left out.
(define (another? count least most)
  (and (< count most)
       (or (< count least)
           (= 1 (draw 0 1 (lambda (random-integer size)
                            (if (< 0 (random-integer (+ 2 (quotient size 4)))) 1 0)))))))

(define-documented (gen-list generator #!optional (least 0) (most 100))
  "Lists of what GENERATOR gives, LEAST to MOST long. They shrink to shorter lists of simpler elements."
  (if (not (and (exact-integer? least) (exact-integer? most) (<= 0 least most)))
      (error "gen-list takes a generator, the least and the greatest length, not" least most))
  (lambda ()
    (let loop ((count 0) (elements '()))
      (let ((next (in-span (lambda () (and (another? count least most) (list (generator)))))))
        (if next
            (loop (+ count 1) (cons (car next) elements))
            (reverse elements))))))

(define-documented (gen-u8vector #!optional (least 0) (most 100))
  "Bytes, LEAST to MOST of them."
  (gen-map list->u8vector (gen-list (gen-byte) least most)))

;; Simple ones first.
(define characters
  (string->list "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"))

(define-documented (gen-character)
  "Characters of ASCII that can be seen, and the blank; a is the simplest."
  (apply gen-choice characters))

(define-documented (gen-string #!optional (least 0) (most 100) (character (gen-character)))
  "Strings of what CHARACTER gives, LEAST to MOST characters long."
  (gen-map list->string (gen-list character least most)))

;; ---- looking at a generator ------------------------------------------------------------------------

(define-documented (gen-sample generator #!optional (count 10))
  "COUNT values of a generator, to look at."
  (map (lambda (n) (chosen-value (generate generator random-integer (min 100 (+ 1 (* 10 n)))))) (iota count)))
