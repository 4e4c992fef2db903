;; What is in objects, archives and images, seen the same way. objdump, nm, size and strip print what these
;; procedures give.
;;
;;   (define b (read-binary "main.o"))
;;   (map view-symbol-name (binary-symbols b))          => ("_start" "message" "print")
;;   (write-file-bytes "small.img" (binary->bytes (binary-strip (read-binary "main.img") 'all)))
;;
;; An address in an object counts from the beginning of its section, and what the linker will settle counts
;; as long as its stand-in.
(module asm/binary)
(use scheme-lib/util)
(use scheme-lib/image)
(use vm-ext/gambit/vm)
(use asm/diagnostic)
(use asm/isa)
(use asm/define)
(use asm/expression)
(use asm/files)
(use asm/program)
(use asm/image)
(use asm/object)
(use asm/object-format)
(use asm/archive)
(declare (block))

(define-type binary
  kind       ; object, archive or image
  name
  content)   ; an object, an archive, an image object

(define-type view-section
  name
  address         ; of an object's section, 0
  bytes
  memory-length
  protection
  keep?)

(define-type view-symbol
  name
  value      ; an integer; #f where it is not defined here, or only the linker knows it
  section    ; a name, or #f
  binding    ; global, weak, local
  letter)    ; as nm has it

;; What the linker must fit in.
(define-type relocation
  section
  offset
  length     ; of the stand-in
  kind       ; a string: plain, zig-zag, relative, host, 8, 16, 32, 64, uleb128, sleb128, align, zero …
  value)     ; in words

(define-type view-line section address file line column)
(define-type instruction address bytes text)

(define image-magic '#u8(#x89 67 77 84 13 10 26 10))

(define (image-bytes? bytes)
  (and (>= (u8vector-length bytes) 8) (equal? (subu8vector bytes 0 8) image-magic)))

;; ---- reading -----------------------------------------------------------------------------------------

(define-documented (read-binary path)
  "The object, archive or image in the file PATH, told apart by its content. Raises an asm-error where it is
none of them, or damaged."
  (bytes->binary (with-exception-catcher
                  (lambda (exception)
                    (if (problem? exception) (refuse path (problem-message exception)) (raise exception)))
                  (lambda () (source-bytes path)))
                 path))

(define-documented (bytes->binary bytes name)
  "The object, archive or image that a u8vector holds; NAME is what errors call it."
  (cond ((object-bytes? bytes) (make-binary 'object name (bytes->object bytes name)))
        ((archive-bytes? bytes) (make-binary 'archive name (bytes->archive bytes name)))
        ((image-bytes? bytes)
         (make-binary 'image name
                      (with-exception-catcher
                       (lambda (exception)
                         (if (vm-error? exception) (refuse name (vm-error-message exception)) (raise exception)))
                       (lambda () (->image bytes)))))
        (else (refuse name "this is neither an object, an archive nor an image"))))

(define (refuse name message)
  (raise (make-asm-error (list (make-asm-diagnostic name 0 0 message '() #f)))))

(define-documented (binary-members binary)
  "The members of an archive, as binaries; of anything else, itself in a list."
  (if (eq? 'archive (binary-kind binary))
      (map (lambda (member)
             (bytes->binary (member-bytes member) (text (binary-name binary) "(" (member-name member) ")")))
           (archive-members (binary-content binary)))
      (list binary)))

(define-documented (binary->bytes binary)
  "The file's bytes."
  (let ((content (binary-content binary)))
    (case (binary-kind binary)
      ((object) (object->bytes content))
      ((archive) (archive->bytes content))
      (else (image->bytes content)))))

;; ---- looking -----------------------------------------------------------------------------------------

(define (object-of binary) (and (eq? 'object (binary-kind binary)) (binary-content binary)))

(define-documented (binary-entry binary)
  "The address of an image's first instruction; #f for an object."
  (and (not (object-of binary)) (image-entry (binary-content binary))))

(define-documented (binary-imports binary)
  "The names of the host calls, of an image in the order of its import list."
  (let ((object (object-of binary)))
    (if object
        (delete-duplicates
         (filter-map (lambda (part) (and (eq? 'import (car (part-what part))) (cadr (part-what part))))
                     (object-parts object)))
        (image-imports (binary-content binary)))))

(define-documented (binary-sections binary)
  "The sections: view-section-name, -address, -bytes, -memory-length, -protection (such as \"rw\"), -keep?."
  (let ((object (object-of binary)))
    (if object
        (map (lambda (section)
               (make-view-section (object-section-name section) 0
                                  (object-section-bytes section)
                                  (object-section-memory-length section) (object-section-protection section)
                                  (object-section-keep? section)))
             (vector->list (object-sections object)))
        (map (lambda (section)
               (make-view-section (vector-ref section 0) (vector-ref section 1) (vector-ref section 2)
                                  (vector-ref section 3) (protection-letters (vector-ref section 4)) #f))
             (image-sections (binary-content binary))))))

(define (protection-letters bits)
  (string-append (if (odd? bits) "r" "") (if (odd? (quotient bits 2)) "w" "") (if (>= bits 4) "x" "")))

(define (has-protection? section letter)
  (and (string-index (view-section-protection section) letter) #t))

(define (view-section-executable? section) (has-protection? section #\x))

(define-documented (binary-symbols binary)
  "The symbols by value: view-symbol-name, -value, -section, -binding and -letter, which is what nm shows."
  (let ((object (object-of binary)))
    (sort (if object (object-symbol-views object) (image-symbol-views binary))
          (lambda (x y)
            (let ((vx (or (view-symbol-value x) -1)) (vy (or (view-symbol-value y) -1)))
              (or (< vx vy)
                  (and (= vx vy) (string<? (view-symbol-name x) (view-symbol-name y)))))))))

(define (object-symbol-views object)
  (let* ((symbols (object-symbols object))
         (sections (list->vector (binary-sections (make-binary 'object "" object))))
         (views (make-vector (vector-length symbols) #f)))
    (define (view! index value section)
      (let ((symbol (vector-ref symbols index)))
        (vector-set! views index
                     (make-view-symbol (object-symbol-name symbol) value
                                       (and section (view-section-name section))
                                       (object-symbol-binding symbol)
                                       (symbol-letter (object-symbol-binding symbol)
                                                      (object-symbol-defined? symbol) section)))))
    (for-each (lambda (index) (view! index #f #f)) (iota (vector-length symbols)))
    (for-each
     (lambda (part)
       (let ((what (part-what part)))
         (case (car what)
           ((label) (view! (cadr what) (part-offset part) (vector-ref sections (part-section part))))
           ((value) (view! (cadr what) (and (not (expression? (caddr what))) (u64 (caddr what))) #f)))))
     (object-parts object))
    (map car
         (filter (lambda (pair) (not (object-symbol-hidden? (cdr pair))))
                 (map cons (vector->list views) (vector->list symbols))))))

(define (image-symbol-views binary)
  (let ((sections (binary-sections binary)))
    (map (lambda (symbol)
           (let* ((value (vector-ref symbol 1))
                  (section (section-at sections value)))
             (make-view-symbol (vector-ref symbol 0) value (and section (view-section-name section)) 'global
                               (symbol-letter 'global #t section))))
         (image-symbols (binary-content binary)))))

;; A label may stand at a section's end.
(define (section-at sections address)
  (define (holds? section extra)
    (<= 0 (- address (view-section-address section)) (+ (view-section-memory-length section) extra)))
  (or (find (lambda (section) (holds? section -1)) sections)
      (find (lambda (section) (holds? section 0)) sections)))

(define (symbol-letter binding defined? section)
  (let ((letter (cond ((not defined?) #\u)
                      ((not section) #\a)
                      ((view-section-executable? section) #\t)
                      ((not (has-protection? section #\w)) #\r)
                      ((= 0 (u8vector-length (view-section-bytes section))) #\b)
                      (else #\d))))
    (cond ((eq? binding 'weak) (if defined? #\W #\w))
          ((eq? binding 'local) letter)
          (else (char-upcase letter)))))

(define-documented (binary-relocations binary)
  "What the linker must fit in: relocation-section, -offset, -length, -kind and -value. An image has none."
  (let ((object (object-of binary)))
    (if (not object)
        '()
        (append-map (lambda (part) (if (part-deferred? part) (part-relocations object part) '()))
                    (object-parts object)))))

(define (part-relocations object part)
  (let* ((what (part-what part))
         (section (object-section-name (vector-ref (object-sections object) (part-section part)))))
    (define (name-of index) (object-symbol-name (vector-ref (object-symbols object) index)))
    (define (relocation kind value)
      (make-relocation section (part-offset part) (part-length part) kind value))
    (define (words operand)
      (if (u8vector? operand) (written (utf8->string operand)) (expression->text operand name-of)))
    (if (eq? 'instruction (car what))
        (filter-map (lambda (kind field)
                      (and (expression? field) (relocation (field-kind kind) (words field))))
                    (string->list (isa-entry-kinds (cadr what)))
                    (caddr what))
        (list (relocation (directive-kind (cadr what)) (string-join (map words (caddr what)) ", "))))))

(define (field-kind kind)
  (case kind
    ((#\p) "relative")
    ((#\i #\o) "zig-zag")
    ((#\n) "negated")
    ((#\h) "host")
    (else "plain")))

(define (directive-kind name)
  (cond ((assoc name '((".byte" . "8") (".half" . "16") (".word" . "32") (".quad" . "64"))) => cdr)
        (else (substring name 1 (string-length name)))))

(define-documented (binary-lines binary)
  "The source lines by address: view-line-section (of an object, else #f), -address, -file, -line, -column."
  (let ((object (object-of binary)))
    (if object
        (filter-map
         (lambda (part)
           (let ((line (part-source-line part)))
             (and line
                  (make-view-line (object-section-name (vector-ref (object-sections object) (part-section part)))
                                  (part-offset part) (car line) (cadr line) (caddr line)))))
         (object-parts object))
        (map (lambda (line)
               (make-view-line #f (vector-ref line 0) (vector-ref line 1) (vector-ref line 2) (vector-ref line 3)))
             (image-lines (binary-content binary))))))

(define-documented (binary-instructions binary section)
  "The instructions of a section of the binary: instruction-address, -bytes and -text. Bytes that are none
have a text that says so."
  (let* ((bytes (view-section-bytes section))
         (length (u8vector-length bytes))
         (base (view-section-address section)))
    (let loop ((offset 0) (found '()))
      (if (>= offset length)
          (reverse found)
          (let* ((shown (vm-disassemble bytes (+ base offset) offset length))
                 (next (min length (+ offset (max 1 (car shown))))))
            (loop next
                  (cons (make-instruction (+ base offset) (subu8vector bytes offset next) (cdr shown)) found)))))))

(define-documented (binary-sizes binary)
  "Bytes of code and constants, of data with a content, and of zeros: a list of three numbers."
  (let ((sections (binary-sections binary)))
    (define (total number) (fold (lambda (section sum) (+ sum (number section))) 0 sections))
    (define (writable? section) (has-protection? section #\w))
    (define (stored section) (u8vector-length (view-section-bytes section)))
    (list (total (lambda (section) (if (writable? section) 0 (view-section-memory-length section))))
          (total (lambda (section) (if (writable? section) (stored section) 0)))
          (total (lambda (section)
                   (if (writable? section) (- (view-section-memory-length section) (stored section)) 0))))))

;; ---- stripping ---------------------------------------------------------------------------------------

(define-documented (binary-strip binary what)
  "A binary without its source lines (WHAT is 'lines), or without its symbols as well ('all). An object keeps
those that the linker needs; its own are not listed any more."
  (case (binary-kind binary)
    ((object) (make-binary 'object (binary-name binary) (strip-object (binary-content binary) what)))
    ((archive)
     (make-binary 'archive (binary-name binary)
                  (make-archive (binary-name binary)
                                (map (lambda (member stripped)
                                       (make-member (member-name member) (binary->bytes stripped)))
                                     (archive-members (binary-content binary))
                                     (map (lambda (member) (binary-strip member what)) (binary-members binary))))))
    (else (make-binary 'image (binary-name binary) (strip-image (binary-content binary) what)))))

(define (strip-object object what)
  (make-object (object-name object)
               (object-sections object)
               (if (eq? what 'all) (vector-map hidden-if-local (object-symbols object)) (object-symbols object))
               (filter-map without-line (object-parts object))
               (object-definitions object)))

(define (hidden-if-local symbol)
  (make-object-symbol (object-symbol-name symbol) (object-symbol-binding symbol) (object-symbol-defined? symbol)
                      (eq? 'local (object-symbol-binding symbol))
                      (object-symbol-file symbol) (object-symbol-line symbol) (object-symbol-column symbol)))

;; Errors of the linker still say where.
(define (without-line part)
  (let ((what (part-what part)))
    (case (car what)
      ((statement)
       (make-part (part-section part) (part-offset part) (part-length part) (append (take-at-most what 4) '(#f))))
      ((made) #f)
      (else part))))

(define (strip-image image what)
  (program-image
   (make-program "stripped"
                 (map (lambda (section)
                        (make-program-section (vector-ref section 0) (vector-ref section 1) (vector-ref section 2)
                                              (vector-ref section 3) (protection-letters (vector-ref section 4))))
                      (image-sections image))
                 (if (eq? what 'all)
                     '()
                     (map (lambda (symbol) (cons (vector-ref symbol 0) (vector-ref symbol 1))) (image-symbols image)))
                 #f
                 (delay '(() . ()))
                 (image-imports image)
                 (image-entry image)
                 '()
                 (map row->definition (image-definitions image))
                 0)))
