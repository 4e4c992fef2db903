;; The source lines of a module's code, from the sections .debug_line, .debug_str and .debug_line_str (DWARF 2 to 5).
;; What is wrong there costs the lines and nothing else.
(module scheme-lib/loaders/wasm/dwarf)
(use scheme-lib/util)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/cursor)
(use scheme-lib/loaders/wasm/module)
(declare (standard-bindings) (extended-bindings) (block))

;; From an offset in the module's file on, code is of this line. file: #f where a sequence of code ends
(define-type row offset file line column)

;; ---- pieces ------------------------------------------------------------------------------------------

(define (read-u8! c) (read-bits! c 1))
(define (read-u16! c) (read-bits! c 2))
(define (read-u4! c) (read-bits! c 4))
(define (read-s8! c) (let ((n (read-u8! c))) (if (> n 127) (- n 256) n)))

(define longest-name 4096)

(define (read-string! c)
  (let ((at (cursor-at c)))
    (let loop ()
      (if (not (= 0 (read-byte! c)))
          (if (> (- (cursor-at c) at) longest-name) (malformed at "a name in DWARF that is too long") (loop))))
    (bytes->name (cursor-bytes c) at (- (cursor-at c) 1))))

;; There are thousands of names, nearly all of them in ASCII, for which no decoder has to be set up.
(define (bytes->name bytes from to)
  (let ((name (make-string (- to from))))
    (let loop ((i from))
      (cond ((= i to) name)
            ((< (u8vector-ref bytes i) 128)
             (string-set! name (- i from) (integer->char (u8vector-ref bytes i)))
             (loop (+ i 1)))
            (else (utf8->string (subu8vector bytes from to)))))))

;; The string at an offset of another section, or "?" where there is none.
(define (string-in m section offset)
  (let ((c (module-custom m section)))
    (if (and c (< offset (cursor-left c)))
        (read-string! (make-cursor (cursor-bytes c) (+ (cursor-at c) offset) (cursor-end c)))
        "?")))

;; A value in one of the forms that names of files come in, or that come with them.
(define (read-form! c m form)
  (case form
    ((#x08) (read-string! c))
    ((#x0e) (string-in m ".debug_str" (read-u4! c)))
    ((#x1f) (string-in m ".debug_line_str" (read-u4! c)))
    ((#x0b) (read-u8! c))
    ((#x05) (read-u16! c))
    ((#x06) (read-u4! c))
    ((#x0f) (read-u32! c))
    ((#x1e) (skip-bytes! c 16))
    ((#x09) (skip-bytes! c (read-u32! c)))
    (else (malformed (cursor-at c) "a form of DWARF that is not known"))))

;; ---- files -------------------------------------------------------------------------------------------

(define (absolute? path) (and (> (string-length path) 0) (char=? #\/ (string-ref path 0))))

(define (join directory name)
  (if (or (absolute? name) (not directory) (string=? directory "")) name (string-append directory "/" name)))

(define (list-ref-or list n default)
  (cond ((null? list) default) ((= n 0) (car list)) (else (list-ref-or (cdr list) (- n 1) default))))

;; Before version 5: directories and files from 1; directory 0 is where it was compiled.
(define (read-files-4! c)
  (let* ((directories (let loop ((found '()))
                        (let ((name (read-string! c)))
                          (if (string=? name "") (reverse found) (loop (cons name found))))))
         (files (let loop ((found '()))
                  (let ((name (read-string! c)))
                    (if (string=? name "")
                        (reverse found)
                        (let ((directory (read-u32! c)))
                          (read-u32! c)
                          (read-u32! c)
                          (loop (cons (join (and (> directory 0) (list-ref-or directories (- directory 1) #f)) name)
                                      found))))))))
    (list->vector (cons "?" files))))

;; From version 5 on: entries that say themselves what is in them; path is 1, directory 2.
(define (read-entries! c m)
  (let* ((formats (let loop ((n (read-u8! c)) (found '()))
                    (if (= n 0)
                        (reverse found)
                        (let* ((what (read-u32! c)) (form (read-u32! c)))
                          (loop (- n 1) (cons (cons what form) found))))))
         (count (read-u32! c)))
    (if (> count (cursor-left c)) (malformed (cursor-at c) "unexpected end: length out of bounds"))
    (let loop ((n count) (entries '()))
      (if (= n 0)
          (reverse entries)
          (loop (- n 1)
                (cons (map (lambda (format) (cons (car format) (read-form! c m (cdr format)))) formats) entries))))))

(define (entry-value entry what default)
  (let ((found (assv what entry))) (if found (cdr found) default)))

(define (read-files-5! c m)
  (let* ((directories (map (lambda (entry) (entry-value entry 1 "")) (read-entries! c m))))
    (list->vector
     (map (lambda (entry)
            (join (list-ref-or directories (entry-value entry 2 0) #f) (entry-value entry 1 "?")))
          (read-entries! c m)))))

;; ---- a line program ----------------------------------------------------------------------------------

;; Adds a unit's rows to those that there are.
(define (read-unit! c m rows)
  (let* ((unit (cursor-part c (read-u4! c)))
         (version (read-u16! unit)))
    (if (not (<= 2 version 5)) (malformed (cursor-at unit) "a version of DWARF that is not known"))
    (if (= version 5) (read-u16! unit))                  ; sizes of an address and a segment
    (let* ((header (read-u4! unit))
           (program (+ (cursor-at unit) header))
           (step (read-u8! unit))
           (operations (if (>= version 4) (read-u8! unit) 1))
           (statement? (read-u8! unit))
           (base (read-s8! unit))
           (range (max 1 (read-u8! unit)))
           (first-special (read-u8! unit))
           (lengths (let loop ((n 1) (found '(0)))
                      (if (>= n first-special)
                          (list->vector (reverse found))
                          (loop (+ n 1) (cons (read-u8! unit) found)))))
           (files (if (= version 5) (read-files-5! unit m) (read-files-4! unit))))
      (if (< program (cursor-at unit)) (malformed program "a header of DWARF that is too short"))
      (cursor-at-set! unit program)
      (run-program unit (module-code-start m) files step base range first-special lengths rows))))

(define (run-program c start files step base range first-special lengths rows)
  ;; A sequence for code that the linker left out is said to be at 0, where no function begins.
  (let sequence ((rows rows))
    (let loop ((address 0) (file 1) (line 1) (column 0) (alive? #f) (rows rows))
      (define (row file line column)
        (if alive? (cons (make-row (+ start address) file line column) rows) rows))
      (define (named) (if (< file (vector-length files)) (vector-ref files file) "?"))
      (define (here address line)
        (if (and alive? (> line 0)) (cons (make-row (+ start address) (named) line column) rows) rows))
      (if (= 0 (cursor-left c))
          rows
          (let ((op (read-byte! c)))
            (cond
             ((>= op first-special)
              (let* ((n (- op first-special)) (address (+ address (* step (quotient n range))))
                     (line (+ line base (modulo n range))))
                (loop address file line column alive? (here address line))))
             ((= op 0)
              (let* ((part (cursor-part c (read-u32! c))) (what (read-byte! part)))
                (case what
                  ((1) (sequence (row #f 0 0)))
                  ((2) (let ((address (read-bits! part (cursor-left part))))
                         (loop address file line column (> address 0) rows)))
                  (else (loop address file line column alive? rows)))))
             (else
              (case op
                ((1) (loop address file line column alive? (here address line)))
                ((2) (loop (+ address (* step (read-u32! c))) file line column alive? rows))
                ((3) (loop address file (+ line (read-s32! c)) column alive? rows))
                ((4) (loop address (read-u32! c) line column alive? rows))
                ((5) (loop address file line (read-u32! c) alive? rows))
                ((8) (loop (+ address (* step (quotient (- 255 first-special) range))) file line column alive? rows))
                ((9) (loop (+ address (read-u16! c)) file line column alive? rows))
                (else
                 (do ((n (vector-ref lengths op) (- n 1))) ((= n 0)) (read-u32! c))
                 (loop address file line column alive? rows))))))))))

;; ---- all of them -------------------------------------------------------------------------------------

;; For code that no row is about.
(define no-source (make-row 0 "(no source)" 1 0))

;; The rows of a module by their offsets; of several for one place the last counts.
(define (module-rows m)
  (let ((section (module-custom m ".debug_line")))
    (if (not section)
        (vector)
        (with-exception-catcher
         (lambda (e) (if (wasm-error? e) (vector) (raise e)))
         (lambda ()
           (let loop ((rows '()))
             (if (> (cursor-left section) 0)
                 (loop (read-unit! section m rows))
                 (sort (list->vector (reverse rows)) (lambda (a b) (< (row-offset a) (row-offset b)))))))))))

;; The same, and a row at each of the offsets, which ascend: of the line that is there anyhow.
(define (rows-with rows offsets)
  (let loop ((i 0) (offsets offsets) (line no-source) (found '()))
    (cond ((and (< i (vector-length rows))
                (or (null? offsets) (<= (row-offset (vector-ref rows i)) (car offsets))))
           (let ((row (vector-ref rows i)))
             (loop (+ i 1)
                   (if (and (pair? offsets) (= (row-offset row) (car offsets))) (cdr offsets) offsets)
                   (if (row-file row) row no-source)
                   (cons row found))))
          ((pair? offsets)
           (loop i (cdr offsets) line
                 (cons (make-row (car offsets) (row-file line) (row-line line) (row-column line)) found)))
          (else (list->vector (reverse found))))))
