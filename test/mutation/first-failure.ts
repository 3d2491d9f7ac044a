import fc from 'fast-check'

// That a mutant fails is enough: nobody reads the shortest run that shows it.
fc.configureGlobal({ endOnFailure: true })
