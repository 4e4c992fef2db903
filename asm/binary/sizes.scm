;; How much room images, objects and the members of archives take in memory.
;;
;;   (binary-sizes (cdar (binary-parts "hello.img")))   => #(29 6 0)
;;   (binary-size '("hello.img" "lib.a"))               prints them
(module asm/binary/sizes)
(use scheme-lib/util)
(use scheme-lib/image)
(use vm-ext/gambit/vm)
(use asm/object)
(use asm/binary/parts)
(use asm/binary/definitions)
(declare (block))

(define-documented (binary-sizes part)
  "The bytes that an image or an object takes in memory: #(text data bss). Text are bytes in the file of sections
that cannot be written, data those of sections that can; bss are zeros for which the file has no bytes."
  (let ((sizes (vector 0 0 0)))
    (define (add! i n) (vector-set! sizes i (+ n (vector-ref sizes i))))
    (define (add-section! writable? stored length)
      (add! (if writable? 1 0) stored)
      (add! 2 (- length stored)))
    (if (vm-image? part)
        (for-each (lambda (section)
                    (add-section! (bit-set? 1 (vector-ref section 4))
                                  (u8vector-length (vector-ref section 2)) (vector-ref section 3)))
                  (image-sections part))
        (vector-for-each (lambda (section stored)
                           (add-section! (string-index (object-section-protection section) #\w)
                                         stored
                                         (object-section-memory-length section)))
                         (object-sections part)
                         (object-stored-lengths part)))
    sizes))

(define-documented (binary-size whats #!key (title? #t))
  "Prints how much room the images, objects and archives of a list take in memory; each is whatever binary-parts takes."
  (if title? (print-line "     text      data       bss       dec       hex  filename"))
  (for-each
   (lambda (what)
     (for-each-binary-part
      (lambda (part)
        (let* ((sizes (vector->list (binary-sizes (cdr part)))) (sum (apply + sizes)))
          (for-each (lambda (n) (display (right-aligned n 9)) (display " ")) sizes)
          (print-line (right-aligned sum 9) " " (right-aligned (hex sum) 9)
                      "  " (visible-text (car part)))))
      what))
   whats))
