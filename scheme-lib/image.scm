;; Images as Scheme data. An image object comes from (->image what), from the assembler, or from (make-image …).
;;
;;   (use scheme-lib/image)
;;   (image-sections (->image "hello.img"))

(module scheme-lib/image)
(use scheme-lib/util)
(use scheme-lib/symbols)
(use scheme-lib/loaders/loader)
(use vm-ext/gambit/vm)
(declare (block))

(define magic '#u8(#x89 67 77 84 13 10 26 10))   ; \x89CMT\r\n\x1a\n

;; Whether a file's bytes begin as an image does.
(define (image-bytes? bytes)
  (and (>= (u8vector-length bytes) 8) (equal? (subu8vector bytes 0 8) magic)))

(define-loader image "images, what assembler and linker write"
  recognises: (lambda (bytes path) (image-bytes? bytes))
  load: (lambda (bytes path) (vm-image-read bytes)))

(define-documented (->image what)
  "The image that WHAT is: an image object, the path of a program's file, or its bytes in a u8vector. The file may be
of any format that a loader knows, see scheme-lib/loaders."
  (cond ((vm-image? what) what)
        ((u8vector? what) (bytes->image what))
        ((not (string? what)) (error "an image is an image object, a path or a u8vector, not" what))
        ((file-exists? what) (bytes->image (read-file-bytes what) what))
        (else (error (text "image file " what " was not found from folder " (current-directory))))))

;; The protection of sections of which nobody knows what is done with them.
(define read-write-execute 7)

(define-documented (make-image #!key (entry 0) (sections '()) (symbols '()) (lines '()) (imports '()) (views '()))
  "A new image object of what image-sections, image-symbols, image-lines, image-imports and image-views give. A
section's memory length may be #f, for just its bytes; its protection is 1 to read, 2 to write, 4 to execute, in sum."
  (let ((image (vm-image-new)))
    (for-each (lambda (section)
                (vm-image-add-section image (vector-ref section 0) (vector-ref section 1) (vector-ref section 2)
                                      (or (vector-ref section 3) (u8vector-length (vector-ref section 2)))
                                      (vector-ref section 4)))
              sections)
    (for-each (lambda (symbol) (vm-image-add-symbol image (vector-ref symbol 0) (vector-ref symbol 1))) symbols)
    (for-each (lambda (line)
                (vm-image-add-line image (vector-ref line 0) (vector-ref line 1) (vector-ref line 2)
                                   (vector-ref line 3)))
              lines)
    (for-each (lambda (name) (vm-image-add-import image name)) imports)
    (for-each (lambda (view) (vm-image-add-view image (vector-ref view 0) (vector-ref view 1))) views)
    (vm-image-set-entry image entry)
    image))

(define (collect part image)
  (let loop ((n 0) (parts '()))
    (let ((next (part image n)))
      (if next (loop (+ n 1) (cons next parts)) (reverse parts)))))

(define-documented (image-sections image)
  "The sections, each #(name address bytes memory-length protection)."
  (collect vm-image-section image))

;; (lambda (address) …): the section where an address is, or #f. A label may stand at a section's end; where another
;; begins there, it is that one's. In a section without room there is nothing.
(define (image-section-finder image)
  (let ((sections (list->vector
                   (sort (filter (lambda (section) (> (vector-ref section 3) 0)) (image-sections image))
                         (lambda (x y) (< (vector-ref x 1) (vector-ref y 1)))))))
    ;; The last section that begins at the address or before it, among those from low to high; else #f.
    (define (section-before address low high)
      (if (= low high)
          (and (> low 0) (vector-ref sections (- low 1)))
          (let ((middle (quotient (+ low high) 2)))
            (if (<= (vector-ref (vector-ref sections middle) 1) address)
                (section-before address (+ middle 1) high)
                (section-before address low middle)))))
    (lambda (address)
      (let ((section (section-before address 0 (vector-length sections))))
        (and section
             (<= (- address (vector-ref section 1)) (vector-ref section 3))
             section)))))

(define-documented (image-symbols image)
  "The symbols by value, each #(name value)."
  (collect vm-image-symbol image))

(define-documented (image-lines image)
  "The source lines by address, each #(address file line column)."
  (collect vm-image-line image))

(define-documented (image-expansions image)
  "What macros made, by address, each #(address macro file line column): where in the macro the code from the
address to the next line or expansion was made. Of several for one address, each is called by the one before."
  (collect vm-image-expansion image))

(define-documented (image-views image)
  "How a debugger shows memory, by names, each #(name description); a description is text for text->view."
  (collect vm-image-view image))

(define-documented (image-imports image)
  "The names of the host calls that the image uses, in the order of its import list."
  (collect vm-image-import image))

(define-documented (image-definitions image)
  "The instructions that the program brings, by opcode, each #(name opcode operands meaning body parts)."
  (collect vm-isa-definition image))

(define-documented (image-entry image)
  "The address where the program begins."
  (vm-image-entry image))

(define-documented (image->bytes image)
  "The image's file, as a u8vector."
  (vm-image-write image))

(define-documented (image-write-file image path)
  "Writes the image to a file."
  (write-file-bytes path (vm-image-write image)))

;; Adds the image's symbols, lines and expansions to a symbol table.
(define (image-load-symbols! image table)
  (for-each (lambda (symbol) (symbol-add! table (vector-ref symbol 0) (vector-ref symbol 1)))
            (image-symbols image))
  (for-each (lambda (line) (apply line-add! table (vector->list line)))
            (image-lines image))
  (for-each (lambda (expansion) (apply expansion-add! table (vector->list expansion)))
            (image-expansions image)))
