;; Listings: each line of a source with the address and the bytes that it became, and below a line what its macros
;; made, each instruction with the place in the macro.
;;
;;   (display (program-listing (asm-file "hello.s")))
;;
;;       3                                            _start: imm r1, 1
;;       4  0x00010003  03 02 05                              (exit 5)
;;       +  0x00010003  03 02 05                      |   imm r2, 5  ; in `exit`, hello.s:1:26
;;
;; Lines stand in the order in which they were assembled: those of an included file at the place of its .include,
;; those of .rept as often as they were repeated.
(module asm/listing)
(use scheme-lib/util)
(use asm/statement)
(use asm/assembly)
(use asm/origin)
(use asm/tables)
(use asm/program)
(use vm-ext/gambit/vm)
(declare (block))

(define-documented (program-listing program)
  "The listing of an assembled program, as a string: line, address, bytes and source, with what macros made below
the line that called them; then the symbols."
  (call-with-output-string ""
    (lambda (port) (write-listing program port))))

(define-documented (program-write-listing program path)
  "Writes the listing of an assembled program to a file, as UTF-8."
  (write-file-text path (program-listing program)))

(define (write-listing program port)
  (let ((a (or (program-assembly program)
               (error "a linked program has no listing: list the sources of its objects"))))
    (write-statements a port)
    (newline port)
    (for-each (lambda (symbol)
                (display (text (hex-address (cdr symbol)) "  " (car symbol) "\n") port))
              (program-symbols program))))

;; ---- rows --------------------------------------------------------------------------------------------

(define bytes-a-row 8)
(define most-rows 8)

;; number: a line's, or a mark. The bytes that one row does not hold stand in rows below it.
(define (write-row port number section start end source)
  (let ((size (- end start)))
    (define (row number address from to source)
      (display
       (trimmed (text (string-pad-left (text number) 5) "  "
                      (if address (hex-address (+ (section-base section) from)) "          ") "  "
                      (string-pad-right (if (< from to) (bytes->text section from to) "") (* 3 bytes-a-row)) " " source))
       port)
      (newline port))
    (let ((first-end (min end (+ start bytes-a-row))))
      (row number (> size 0) start first-end source)
      (let loop ((from first-end) (rows 1))
        (cond ((>= from end))
              ((= rows most-rows) (row "" #f 0 0 (text "… " size " bytes in all")))
              (else
               (let ((to (min end (+ from bytes-a-row))))
                 (row "" #t from to "")
                 (loop to (+ rows 1)))))))))

(define (trimmed string)
  (let loop ((end (string-length string)))
    (if (and (> end 0) (char=? #\space (string-ref string (- end 1)))) (loop (- end 1)) (substring string 0 end))))

;; What is behind the stored bytes is zeros.
(define (section-byte section offset)
  (if (< offset (section-file-length section)) (u8vector-ref (section-bytes section) offset) 0))

(define (bytes->text section start end)
  (string-join (map (lambda (i) (hex (section-byte section (+ start i)) 2)) (iota (- end start))) " "))

;; ---- the source --------------------------------------------------------------------------------------


;; What is open, the innermost file first: its lines, and which comes next.
(define-type reading file lines (next))

(define (open-file file)
  (make-reading file (source-file-lines file) 1))

(define (write-statements a port)
  (let ((open (list (open-file (source-file (assembly-source a))))))
    (define (plain-lines! upto)
      (let* ((reading (car open))
             (end (min upto (+ 1 (vector-length (reading-lines reading))))))
        (let loop ((n (reading-next reading)))
          (if (< n end)
              (begin
                (write-row port n #f 0 0 (reading-line reading n))
                (loop (+ n 1)))
              (reading-next-set! reading (max n (reading-next reading)))))))
    (define (close!)
      (plain-lines! +inf.0)
      (set! open (cdr open)))
    (define (enter! file)
      (cond ((eq? file (reading-file (car open))))
            ((memq file (map reading-file open))
             (close!)
             (enter! file))
            ((open-includer? file) (set! open (cons (open-file file) open)))
            (else
             (close!)
             (enter! file))))
    ;; Whether the innermost file is the one that includes this one; its lines up to there are written.
    (define (open-includer? file)
      (let ((includer (car (source-file-includers file))))
        (and (equal? (car includer) (source-file-name (reading-file (car open))))
             (begin (plain-lines! (+ 1 (cadr includer))) #t))))
    (for-each
     (lambda (group)
       (enter! (statement-file (caar group)))
       (let* ((reading (car open))
              (line (statement-line (caar group)))
              (again? (< line (reading-next reading))))
         (plain-lines! line)
         (write-own port (if again? "+" line) (reading-line reading line) group)
         (if (not again?) (reading-next-set! reading (+ line 1)))
         ;; A form may go on over several lines.
         (for-each (lambda (made)
                     (plain-lines! (+ 1 (made-line made reading)))
                     (write-made port made (assembly-isa a)))
                   (append-map (lambda (entry) (filter made? (cdr entry))) group))))
     (by-line (statements-with-pieces a)))
    (let close ()
      (close!)
      (if (pair? open) (close)))))

(define (reading-line reading n)
  (vector-ref (reading-lines reading) (- n 1)))

;; A list of lists of neighbours that stand in one line.
(define (by-line entries)
  (let loop ((entries entries) (group '()) (groups '()))
    (cond ((null? entries) (reverse (if (pair? group) (cons (reverse group) groups) groups)))
          ((or (null? group) (same-line? (caar entries) (caar group)))
           (loop (cdr entries) (cons (car entries) group) groups))
          (else (loop (cdr entries) (list (car entries)) (cons (reverse group) groups))))))

(define (same-line? x y)
  (and (eq? (statement-file x) (statement-file y))
       (= (statement-line x) (statement-line y))))

;; ---- what statements made ----------------------------------------------------------------------------

;; Pairs of a statement and its pieces of sections, in the order in which they were assembled: of text a piece
;; (section start end), of Scheme what asm/assembly calls made.
(define (statements-with-pieces a)
  (let ((ends (make-table test: eq?))
        (made (make-table test: eq?)))
    (for-each
     (lambda (section) (table-set! ends section (section-size section)))
     (assembly-sections a))
    (for-each
     (lambda (piece)
       (let ((statement (made-statement piece)))
         (table-set! made statement (cons piece (table-ref made statement '())))))
     (assembly-made a))
    (fold (lambda (statement found)
            (let* ((section (statement-section statement))
                   (start (statement-offset statement))
                   (end (and section (table-ref ends section start)))
                   (by-scheme? (memq (statement-kind statement) '(form value))))
              (if section (table-set! ends section start))
              (cons (cons statement
                          (cond (by-scheme? (table-ref made statement '()))
                                ((and end (< start end)) (list (list section start end)))
                                (else '())))
                    found)))
          '()
          (reverse (statement-list (assembly-source a))))))

;; A line's own bytes stand beside it.
(define (write-own port number source group)
  (let ((own (append-map (lambda (entry) (filter pair? (cdr entry))) group)))
    (if (pair? own)
        (begin
          (apply write-row port number (append (car own) (list source)))
          (for-each (lambda (piece) (apply write-row port "+" (append piece '("")))) (cdr own)))
        (write-row port number #f 0 0 source))))

;; The line of the text that made it, or the one that was read last where that is elsewhere.
(define (made-line made reading)
  (let ((places (made-places made)))
    (if (and (pair? places)
             (not (place-macro (car places)))
             (equal? (place-file (car places)) (source-file-name (reading-file reading))))
        (place-line (car places))
        (- (reading-next reading) 1))))

;; ---- what macros made --------------------------------------------------------------------------------

(define (write-made port made isa)
  (let* ((section (made-section made))
         (places (filter place-macro (made-places made)))
         (mark (make-string (max 1 (length places)) #\|))
         (where (if (pair? places) (text "  ; " (place->note (last-of places))) "")))
    (if (made-instruction? made)
        (let loop ((at (made-offset made)))
          (if (< at (made-end made))
              (let* ((shown (disassembled isa section at (min (made-end made) (+ at longest-instruction))))
                     (next (min (made-end made) (+ at (max 1 (car shown))))))
                (write-row port "+" section at next (text mark " " (cdr shown) where))
                (loop next))))
        (write-row port "+" section (made-offset made) (made-end made) (text mark where)))))

(define (last-of list)
  (car (reverse list)))

(define longest-instruction 64)

;; (length . text); isa: the image that knows the source's own instructions, or #f
(define (disassembled isa section start end)
  (vm-disassemble (list->u8vector (map (lambda (i) (section-byte section (+ start i))) (iota (- end start))))
                  (+ (section-base section) start)
                  0 (- end start) isa))
