#include "kernels/attention/indexer_body.hpp"
#include "kernels/attention/indexer_launch.hpp"
#include "kernels/launch.cuh"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

template <class Plan, class Keys>
__global__ void __launch_bounds__(kIndexerThreads, 2)
    indexer_kernel(const __grid_constant__ IndexerMaps maps, const __grid_constant__ IndexerTask task,
                   const __grid_constant__ Keys keys) {
    DeviceThread t;
    indexer_logits<Plan>(t, task, keys, maps);
}

template <class Plan, class Keys>
void launch_indexer(const IndexerTask& task, const Keys& keys, cudaStream_t stream) {
    const IndexerTask with_plan = planned(task, ceil_div(task.rows, Plan::kQueries));
    launch("indexer_logits", indexer_kernel<Plan, Keys>, grid_of<Plan>(with_plan), stream, maps_of(task, keys),
           with_plan, keys);
}

template <int heads>
void launch_decode(const IndexerTask& task, const PagedIndexerKeys& keys, cudaStream_t stream) {
    if (keys.next_n == 1)
        launch_indexer<IndexerDecodePlan<heads, 1>>(task, keys, stream);
    else
        launch_indexer<IndexerDecodePlan<heads, 2>>(task, keys, stream);
}

// Rows without a column have no block of maxima: whoever selects among them must be told.
void count_no_blocks(const IndexerTask& task, cudaStream_t stream) {
    if (task.maxima)
        check_cuda(cudaMemsetAsync(task.counts, 0, std::size_t(task.rows) * sizeof(*task.counts), stream), "indexer");
}

}  // namespace

void indexer_logits(const IndexerTask& task, const IndexerKeys& keys, cudaStream_t stream) {
    require_valid(task, keys);
    if (task.rows == 0) return;
    if (task.columns == 0) return count_no_blocks(task, stream);
    if (task.heads == 64)
        launch_indexer<IndexerPrefillPlan<64>>(task, keys, stream);
    else
        launch_indexer<IndexerPrefillPlan<32>>(task, keys, stream);
}

void indexer_logits(const IndexerTask& task, const PagedIndexerKeys& keys, cudaStream_t stream) {
    require_valid(task, keys);
    if (task.rows == 0) return;
    if (task.columns == 0) return count_no_blocks(task, stream);
    if (task.heads == 64)
        launch_decode<64>(task, keys, stream);
    else
        launch_decode<32>(task, keys, stream);
}

}  // namespace strata
