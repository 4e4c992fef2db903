;; scheme-lib/view: memory seen as records, lists, strings …, by descriptions that are data.
(##namespace
 ("scheme-lib/view#"
  make-view-world view-world-find
  view-place view-place? view-place-view view-place-address view-place-world
  view-check view-scalar? view-size view-names builtin-view?
  view-part view-target view-choices view-value view-set! view-tree
  view-element-limit view-step-limit
  define-view-kind! define-simple-view!
  view-error? view-error-message))
