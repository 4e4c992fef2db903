;; The symbols of images, objects and archives.
;;
;;   (binary-symbols "hello.o")   => (#("_start" #\t 0 #f) #("greet" #\U #f #f) …)
;;   (binary-nm "hello.o")        prints them
(module asm/binary/symbols)
(use scheme-lib/util)
(use scheme-lib/image)
(use vm-ext/gambit/vm)
(use asm/expression)
(use asm/object)
(use asm/binary/parts)
(use asm/binary/definitions)
(declare (block))

(define-documented (binary-symbols part)
  "The symbols of an image or an object, each #(name letter value expression), by name. The letter says what it is:
T in code, D in data that can be written, B in zeros that the file has no bytes for, R in what is only read, A a
number, I a value that the linker computes; U undefined, W weak, w weak and undefined. A small letter: no other
object sees it. The value, in an object, counts from the beginning of its section; it is #f where only the linker
knows. The expression, a text, is what it computes then, or #f. Numeric and .L labels are left out."
  (sort (if (vm-image? part) (image-rows part) (object-rows part))
        (lambda (x y) (string<? (vector-ref x 0) (vector-ref y 0)))))

;; stored: how many bytes the file has of the section. offset: of the symbol in it.
(define (section-letter writable? executable? offset stored)
  (cond (executable? #\T)
        ((not writable?) #\R)
        ((< offset stored) #\D)
        (else #\B)))

;; ---- images ------------------------------------------------------------------------------------------

;; An image does not say which of its symbols are addresses: those that lie in a section count as such.
(define (image-rows image)
  (let ((letter (image-letters image)))
    (map (lambda (symbol)
           (vector (vector-ref symbol 0) (letter (vector-ref symbol 1)) (vector-ref symbol 1) #f))
         (image-symbols image))))

(define (image-letters image)
  (let ((section-at (image-section-finder image)))
    (lambda (address)
      (let ((section (section-at address)))
        (if section
            (let ((protection (vector-ref section 4)))
              (section-letter (bit-set? 1 protection) (bit-set? 2 protection)
                              (- address (vector-ref section 1)) (u8vector-length (vector-ref section 2))))
            #\A)))))

;; ---- objects -----------------------------------------------------------------------------------------

(define (object-rows object)
  (let ((parts (object-definition-parts object))
        (symbols (object-symbols object))
        (stored (object-stored-lengths object))
        (expression-text (object-expression-texts object)))
    (define (row index)
      (let ((symbol (vector-ref symbols index)) (part (vector-ref parts index)))
        (receive (letter value expression) (meaning object part stored expression-text)
          (vector (object-symbol-name symbol) (with-binding letter symbol) value expression))))
    (map row
         (filter (lambda (index) (not (object-symbol-hidden? (vector-ref symbols index))))
                 (iota (vector-length symbols))))))

;; Letter, value and expression of what a part defines.
(define (meaning object part stored expression-text)
  (cond ((not part) (values #\U #f #f))
        ((eq? 'label (car (part-what part)))
         (let* ((section (vector-ref (object-sections object) (part-section part)))
                (has? (lambda (letter) (and (string-index (object-section-protection section) letter) #t))))
           (values (section-letter (has? #\w) (has? #\x)
                                   (part-offset part) (vector-ref stored (part-section part)))
                   (part-offset part)
                   #f)))
        ((expression? (caddr (part-what part)))
         (values #\I #f (expression-text (caddr (part-what part)) part)))
        (else (values #\A (u64 (caddr (part-what part))) #f))))

(define (with-binding letter symbol)
  (case (object-symbol-binding symbol)
    ((weak) (if (object-symbol-defined? symbol) #\W #\w))
    ((local) (char-downcase letter))
    (else letter)))

;; ---- nm ----------------------------------------------------------------------------------------------

(define-documented (binary-nm what #!key (numeric? #f) (undefined? #f) (global? #f) (title? #f))
  "Prints the symbols of WHAT, whatever ->binary takes: a line each, with value, letter (see binary-symbols) and
name. NUMERIC? sorts by value; UNDEFINED? leaves out what is defined, GLOBAL? what other objects do not see. The
parts of an archive have a title each, and so has anything else with TITLE?."
  (for-each-binary-part
   (lambda (part)
     (if (or title? (not (equal? what (car part)))) (print-line "\n" (visible-text (car part)) ":"))
     (for-each print-symbol
               (let ((rows (filter (lambda (row)
                                     (and (or (not undefined?) (undefined-row? row))
                                          (or (not global?) (seen-row? row))))
                                   (binary-symbols (cdr part)))))
                 (if numeric? (sort rows before-by-value?) rows))))
   what))

(define (undefined-row? row) (memv (vector-ref row 1) '(#\U #\w)))
(define (seen-row? row)
  (or (char-upper-case? (vector-ref row 1)) (undefined-row? row)))

;; Those without a value come first.
(define (before-by-value? x y)
  (let ((a (vector-ref x 2)) (b (vector-ref y 2)))
    (if a (and b (< a b)) (and b #t))))

(define (print-symbol row)
  (let ((value (vector-ref row 2)) (expression (vector-ref row 3)))
    (print-line (if value (hex value 16) (make-string 16 #\space))
                " " (vector-ref row 1) " " (vector-ref row 0)
                (if expression (text " = " expression) ""))))
