package claims

// All are the claims, in the order of the documents' list.
func All() []Claim {
	return []Claim{
		traditionalCopiesTwice,
		binderCopiesOnce,
		headerBounded,
		sameMemory,
		fixedOffset,
		moreEfficient,
		mappingDoubles,
		fewerSystemCalls,
		saferThanShm,
		shmNeedsSynchronisation,
		atMost4MiB,
		bestFit,
		pagesOnDemand,
		procsAndThreads,
		threadPool,
		poolServes,
		repliesAlike,
		queueAndWake,
	}
}
