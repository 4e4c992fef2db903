;; What a screen shows of a program, as rows of text with styles; where it is drawn is somebody else's business.
;;
;;   (code-rows #x10000 3)
;;     => ((65536 "  " "   " "0x00010000  imm r11, 5") …)
;;
;; A row is (place . segments): place is the line's number or the address that the row stands for, or #f; a segment
;; is a text, or (style . text). Styles: current, changed, breakpoint, label, faint, mark.

(module debugger/panes)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/breakpoints)
(use debugger/timeline)
(use debugger/changes)
(use debugger/show)
(use debugger/examine)

(define row-place car)
(define row-segments cdr)

(define (segment-text segment) (if (pair? segment) (cdr segment) segment))
(define (plain-text segments) (string-join (map segment-text segments) ""))

(define (marks here? breakpoint?)
  (list (if breakpoint? '(breakpoint . "*") " ") (if here? '(current . "=>") "  ") " "))

;; ---- source and code -------------------------------------------------------------------------------------

(define (breakpoint-lines file)
  (filter-map (lambda (breakpoint)
                (let ((place (and (eq? (breakpoint-kind breakpoint) 'break) (line-at (breakpoint-address breakpoint)))))
                  (and place (string=? (place-file place) file) (place-line place))))
              (session-breakpoints (the-session))))

;; `count` lines of a source from one on, counted from 1.
(define (source-rows file first count)
  (let* ((lines (or (file-lines file) (vector)))
         (place (line-at (current-address)))
         (here (and place (string=? (place-file place) file) (place-line place)))
         (stops (breakpoint-lines file))
         (width (string-length (number->string (vector-length lines)))))
    (map (lambda (number)
           (let ((line (vector-ref lines (- number 1))) (here? (eqv? number here)))
             (append (list number)
                     (marks here? (memv number stops))
                     (list (cons 'faint (text (string-pad-left (number->string number) width) "  "))
                           (if here? (cons 'current line) line)))))
         (iota (max 0 (min count (- (vector-length lines) (- first 1)))) first))))

(define (label-rows address)
  (filter-map (lambda (symbol) (and (= (cdr symbol) address) (list #f (cons 'label (text (car symbol) ":")))))
              (all-symbols)))

;; `count` rows of instructions from an address on, labels among them.
(define (code-rows address count)
  (let loop ((address address) (rows '()))
    (let ((instruction (and (< (length rows) count) (target-instruction address))))
      (if instruction
          (let* ((here? (= address (current-address))) (line (instruction-line instruction)))
            (loop (u64 (+ address (max 1 (instruction-length instruction))))
                  (append rows
                          (label-rows address)
                          (list (append (list address)
                                        (marks here? (breakpoint-at address))
                                        (list (if here? (cons 'current line) line)))))))
          (take-at-most rows count)))))

;; ---- registers and activations ---------------------------------------------------------------------------

(define (name<? a b)
  (let ((index (lambda (name) (string->number (substring name 1 (string-length name))))))
    (or (char<? (string-ref a 0) (string-ref b 0))
        (and (char=? (string-ref a 0) (string-ref b 0)) (< (index a) (index b))))))

(define (shown-registers)
  (let ((in-use (map (lambda (register) (text "r" (car register))) (target-registers)))
        (of-thread (filter (lambda (name) (not (= 0 (target-register name))))
                           (map (lambda (n) (text "t" n)) (iota 16)))))
    (sort (delete-duplicates (append in-use of-thread (changed-registers))) name<?)))

;; The pc, and the registers that are not 0, or just became it.
(define (register-rows)
  (cons (list #f " " "pc    " (text (hex-address (current-address)) "  " (address-text (current-address))))
        (map (lambda (name)
               (let ((changed? (register-changed? name)) (value (value-text (target-register name))))
                 (list #f
                       (if changed? '(changed . "*") " ")
                       (string-pad-right name 6)
                       (if changed? (cons 'changed value) value))))
             (shown-registers))))

(define (activation-rows count)
  (map (lambda (level)
         (let ((line (text level "  " (where-text (activation-address level)))))
           (if (= level (session-level (the-session)))
               (list level '(current . "=> ") (cons 'current line))
               (list level "   " line))))
       (iota (min count (target-depth)))))

;; ---- what is displayed -----------------------------------------------------------------------------------

;; What `display` shows at each stop; a mistake in it stands in its place.
(define (displayed-rows)
  (append-map
   (lambda (entry)
     (map (lambda (line) (list #f line))
          (with-exception-catcher
           (lambda (exception) (list (text (car entry) ": " (error-line exception))))
           (lambda () (displayed-lines entry)))))
   (reverse (session-displayed (the-session)))))

;; ---- memory ----------------------------------------------------------------------------------------------

(define (printable byte) (if (< 31 byte 127) (integer->char byte) #\.))

(define (hex-byte byte) (hex byte 2))
(define (bytes-at address count) (u8vector->list (target-read-prefix (u64 address) count)))

;; `count` rows of so many bytes from an address on; what is not mapped is shown as such.
(define (memory-rows address count bytes-in-row)
  (map (lambda (n)
         (let* ((start (u64 (+ address (* n bytes-in-row)))) (bytes (bytes-at start bytes-in-row)))
           (list start
                 (cons 'faint (text (hex-address start) "  "))
                 (if (null? bytes)
                     '(faint . "not mapped")
                     (text (string-pad-right (string-join (map hex-byte bytes) " ") (* 3 bytes-in-row))
                           " " (list->string (map printable bytes)))))))
       (iota count)))

;; ---- the timeline ----------------------------------------------------------------------------------------

;; One line of so many columns: where the program is between the timeline's start and its end, and the marks.
;;
;;   0 [=====m====#.......] 5,012
(define (timeline-segments width)
  (let ((timeline (session-timeline (the-session))))
    (if timeline
        (bar (timeline-start (the-timeline)) (target-count) (timeline-end timeline)
             (map cdr (timeline-marks timeline)) width)
        (list '(faint . "no timeline is kept")))))

(define (bar start here end marks width)
  (let* ((left (text (grouped start) " ")) (right (text " " (grouped end)))
         (columns (max 1 (- width (string-length left) (string-length right) 2)))
         (column (lambda (count)
                   (if (= start end) (- columns 1) (quotient (* (- count start) (- columns 1)) (- end start)))))
         (marked (map column marks)))
    (append (list left "[")
            (map (lambda (i)
                   (cond ((= i (column here)) '(current . "#"))
                         ((memv i marked) '(mark . "m"))
                         ((< i (column here)) "=")
                         (else '(faint . "."))))
                 (iota columns))
            (list "]" right))))
