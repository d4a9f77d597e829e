#include "kernels/launch.cuh"
#include "kernels/moe/router_launch.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

template <int kPerLane>
__global__ void __launch_bounds__(kRouteThreads) route_kernel(RouteTask task) {
    DeviceThread t;
    route<kPerLane>(t, task);
}

}  // namespace

void route(const RouteTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.tokens == 0) return;
    with_experts_a_lane(task, [&](auto a_lane) {
        launch("route", route_kernel<decltype(a_lane)::value>, grid_of(task), stream, task);
    });
}

}  // namespace strata
