;; Programs to images, the files that machines load.
;;
;;   (program-write-image (asm-file "hello.s") "hello.img")
(module asm/image)
(use scheme-lib/util)
(use scheme-lib/image)
(use scheme-lib/machine)
(use vm-ext/gambit/vm)
(use asm/program)
(use asm/number)
(use asm/define)
(declare (block))

(define-documented (program-image program)
  "An image object of an assembled program, with its symbols, source lines, macro
expansions and views."
  (let ((image (vm-image-new)))
    (for-each
     (lambda (section)
       (vm-image-add-section image
                             (program-section-name section)
                             (program-section-address section)
                             (program-section-bytes section)
                             (program-section-memory-length section)
                             (->protection (program-section-protection section))))
     (program-sections program))
    (for-each
     (lambda (symbol) (vm-image-add-symbol image (car symbol) (cdr symbol)))
     (program-symbols program))
    (add-lines! image program)
    (for-each
     (lambda (expansion)
       (vm-image-add-expansion image (vector-ref expansion 0) (vector-ref expansion 1) (vector-ref expansion 2)
                               (vector-ref expansion 3) (vector-ref expansion 4)))
     (program-expansions program))
    (for-each (lambda (view) (vm-image-add-view image (car view) (cdr view))) (program-views program))
    (for-each (lambda (name) (vm-image-add-import image name)) (program-imports program))
    (for-each
     (lambda (definition)
       (vm-image-add-instruction image (definition-name definition) (definition-opcode definition)
                                 (definition-kinds definition) (definition-meaning definition)
                                 (definition-body definition)))
     (program-instructions program))
    (vm-image-set-entry image (program-entry program))
    image))

;; Lines go over in batches, because a long source has very many.
(define batch 4096)

(define (add-lines! image program)
  (let ((bytes (make-u8vector (* 16 batch)))
        (file #f)
        (count 0))
    (define (flush!)
      (if (> count 0) (vm-image-add-lines image file bytes count))
      (set! count 0))
    (program-for-each-line program
      (lambda (name address line column)
        (if (or (= count batch) (not (eq? name file))) (flush!))
        (set! file name)
        (let ((at (* 16 count)))
          (put-integer! bytes at address 8)
          (put-integer! bytes (+ at 8) line 4)
          (put-integer! bytes (+ at 12) column 4))
        (set! count (+ count 1))))
    (flush!)))

(define-documented (program-write-image program path)
  "Writes the image of an assembled program to a file."
  (image-write-file (program-image program) path))
