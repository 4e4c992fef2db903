;; The command timeline: lists the timelines of a session, keeps, compares and drops them.

(module debugger/what-if-commands)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/timeline)
(use debugger/value)
(use debugger/run)
(use debugger/show)
(use debugger/time-commands)
(use debugger/what-if)

;; ---- what is shown of a comparison ------------------------------------------------------------------

(define bytes-shown 8)
(define rows-shown 40)

(define (bytes-text bytes)
  (let ((length (u8vector-length bytes)))
    (cond ((= length 0) "not mapped")
          ((<= length 8) (short-number (u8vector->number bytes)))
          (else
           (let ((shown (u8vector->list (subu8vector bytes 0 bytes-shown))))
             (text (string-join (map (lambda (byte) (hex byte 2)) shown) " ") " ..."))))))

;; As number-text, but of a number that fills a column with digits only the hexadecimal ones.
(define (short-number value)
  (if (< -1000000000 (s64 value) 1000000000) (number-text value) (number->hex value)))

(define (register-text value)
  (if (list? value)
      (string-join (map address-text value) " < ")
      (let ((symbol (and (>= value 65536) (mapped? value) (symbol-at value))))
        (text (short-number value) (if symbol (text "  " (address-text value)) "")))))

;; ((what here there) …), as texts
(define (comparison-rows comparison)
  (append
   (map (lambda (row)
          (let ((show (if (string=? (car row) "pc") address-text register-text)))
            (list (car row) (show (cadr row)) (show (caddr row)))))
        (comparison-registers comparison))
   (map (lambda (row)
          (let ((length (max (u8vector-length (cadr row)) (u8vector-length (caddr row)))))
            (list (text (address-text (car row)) ", " length (if (= length 1) " byte" " bytes"))
                  (bytes-text (cadr row))
                  (bytes-text (caddr row)))))
        (comparison-memory comparison))))

(define (show-comparison here there comparison)
  (let* ((rows (comparison-rows comparison)) (counts (comparison-counts comparison))
         (left (- (length rows) rows-shown)))
    (define (head name count) (text name ", at " (grouped count)))
    (if (and (null? rows) (comparison-same? comparison))
        (say here " and " there " are equal at " (grouped (car counts)))
        (begin
          (columns (cons (list "" (head here (car counts)) (head there (cdr counts))) (take-at-most rows rows-shown)))
          (if (or (> left 0) (comparison-more? comparison))
              (say "and " (if (comparison-more? comparison) "more" (text left " more"))))
          (show-views here there (touched-first (comparison-views comparison) (map car (comparison-memory comparison))))
          (if (null? rows)
              (say "no register or memory that is looked at differs, but something else does: counts, protection of "
                   "pages, or another thread"))))))

;; Views of the memory that differs before those that only lead there.
(define (touched-first views addresses)
  (let ((names (map car (filter-map symbol-at addresses))))
    (receive (touched others) (partition (lambda (row) (member (car row) names)) views) (append touched others))))

;; Lines of a view that are equal on both sides are left out, and so is what another view has shown.
(define (show-views here there rows)
  (let loop ((rows rows) (shown '()))
    (if (pair? rows)
        (let* ((pairs (differing-lines (cadar rows) (caddar rows))) (shown? (member (tail-of pairs) shown)))
          (if (not shown?)
              (begin
                (say (caar rows) ":")
                (columns (append-map (lambda (pair)
                                       (list (list (text "  " here) (car pair)) (list (text "  " there) (cdr pair))))
                                     pairs))))
          (loop (cdr rows) (cons (tail-of pairs) shown))))))

(define (tail-of pairs) (if (and (pair? pairs) (pair? (cdr pairs))) (cdr pairs) pairs))

(define (differing-lines here there)
  (if (= (length here) (length there))
      (remove (lambda (pair) (string=? (car pair) (cdr pair))) (map cons here there))
      (list (cons (string-join here " ") (string-join there " ")))))

;; ---- the list --------------------------------------------------------------------------------------

(define changes-shown 3)

;; "r5 was 3, is 7": how a timeline's beginning differs from where it forked.
(define (fork-text timeline origin)
  (let* ((rows (comparison-rows
                (timeline-compare (timeline-name timeline) (timeline-name origin) (timeline-fork timeline))))
         (shown (take-at-most rows changes-shown)))
    (define (squeezed string) (string-replace string "  " " "))
    (define (row-text row) (text (car row) " was " (squeezed (caddr row)) ", is " (squeezed (cadr row))))
    (text (string-join (map row-text shown) "; ")
          (if (pair? (list-tail rows (length shown))) "; and more" ""))))

(define (timeline-row timeline)
  (let ((origin (timeline-origin timeline)) (fork (grouped (timeline-fork timeline))))
    (list (text (if (eq? timeline (the-timeline)) "=> " "   ") (timeline-name timeline))
          (text (grouped (timeline-start timeline)) " to " (grouped (timeline-end timeline)))
          (cond ((not origin) "")
                ((memq origin (session-what-ifs))
                 (text "from " (timeline-name origin) " at " fork ": " (fork-text timeline origin)))
                (else (text "forked at " fork))))))

(define (show-timelines)
  (columns (map timeline-row (session-what-ifs))))

;; Does what may change the machine, and says so when that forked a timeline.
(define (telling-of-fork thunk)
  (let* ((before (and (session-machine (the-session)) (session-timeline (the-session)) (the-timeline)))
         (value (thunk)))
    (if before
        (let ((now (the-timeline)))
          (if (not (eq? before now)) (say (fork-notice before now)))))
    value))

;; ---- the command -----------------------------------------------------------------------------------

(define actions '("keep" "go" "compare" "drop"))

(define (timeline-names) (if (session-timeline (the-session)) (map timeline-name (session-what-ifs)) '()))

(define-argument-kind timeline-action "keep, go, compare or drop"
  (lambda (word)
    (if (member word actions)
        word
        (raise-user-error "`timeline " word "` is none of: timeline keep NAME, go NAME, compare [NAME] [NAME], "
                          "drop [NAME]"
                          (did-you-mean word actions))))
  (lambda (beginning) (filter (lambda (word) (string-prefix? beginning word)) actions)))

(define-argument-kind timeline-word "a timeline" (lambda (word) word)
  (lambda (beginning) (filter (lambda (name) (string-prefix? beginning name)) (timeline-names))))

;; A count of a timeline that may be another than the session's.
(define (point-of timeline word)
  (cond ((string=? word "start") (timeline-start timeline))
        ((string=? word "end") (timeline-end timeline))
        (else (word->count word))))

(define (go! name where)
  (let ((timeline (timeline-or-error name)))
    (show-pause (timeline-go! name (and where (point-of timeline where))))))

;; Behind none, one or two names may stand where to compare.
(define (compare! words)
  (let* ((names (take-names words))
         (where (let ((rest (list-tail words (length names))))
                  (cond ((null? rest) #f)
                        ((pair? (cdr rest)) (raise-user-error "`timeline compare` takes two timelines and a place; `"
                                                              (cadr rest) "` is too much"))
                        ((member (car rest) '("start" "end")) (string->symbol (car rest)))
                        ((or (= (length names) 2) (string->number (car rest))) (word->count (car rest)))
                        (else (timeline-or-error (car rest)))))) ; which there is not
         (here (if (pair? names) (car names) (timeline-name (the-timeline))))
         (there (if (and (pair? names) (pair? (cdr names))) (cadr names) (other-than here)))
         (comparison (timeline-compare here there where)))
    (show-comparison here there comparison)
    comparison))

(define (take-names words)
  (let loop ((words words) (names '()))
    (if (and (pair? words) (< (length names) 2) (timeline-named (car words)))
        (loop (cdr words) (cons (car words) names))
        (reverse names))))

;; What to compare one with: where it came from, or where the session is.
(define (other-than name)
  (let* ((timeline (timeline-or-error name)) (timelines (session-what-ifs))
         (candidates (delete timeline (list (the-timeline) (timeline-origin timeline)) eq?))
         (candidate (find (lambda (other) (memq other timelines)) (append candidates (delete timeline timelines eq?)))))
    (if (not candidate) (raise-user-error "there is no other timeline; a change in the past makes one"))
    (timeline-name candidate)))

(define-command (timeline #!optional (action timeline-action #f) #!rest (names timeline-word))
  "Lists the timelines of the program. A change in the past forks a what-if from there on; what was stays as it was. \
timeline go NAME goes to another, where it was left, and timeline go NAME WHERE to a point of it (as goto does); \
timeline keep NAME names the present one and keeps it in spite of `run` and of newer what-ifs; timeline compare \
[NAME] [NAME] [WHERE] shows the registers and memory that differ at the same instruction count, or at the ends where \
one does not come so far; timeline drop [NAME] forgets one, going back to where it came from."
  aliases: (timelines tl) group: time repeat: #f
  (the-timeline)
  (let ((most (lambda (least most)
                (if (not (<= least (length names) most))
                    (raise-user-error "`timeline " action "` takes "
                                      (cond ((= least 0) "at most one name")
                                            ((= most 2) "a name, and where to go")
                                            (else "a name")))))))
    (cond ((not action) (show-timelines) (session-what-ifs))
          ((string=? action "keep") (most 1 1) (timeline-keep! (car names)))
          ((string=? action "go") (most 1 2) (go! (car names) (and (pair? (cdr names)) (cadr names))))
          ((string=? action "compare") (compare! names))
          (else
           (most 0 1)
           (let ((pause (timeline-drop! (and (pair? names) (car names))))) (if pause (show-pause pause)))))))
