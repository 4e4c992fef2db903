(##namespace ("debugger/views#"
  define-view! view-named view-definitions view-description-of-word view-word?
  register-view-place value-view-place memory-view-place word->view-place word->view-value word->location-of-view local-variables local-named
  view-lines bits->real))
