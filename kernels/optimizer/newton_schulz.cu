#include "kernels/launch.cuh"
#include "kernels/optimizer/newton_schulz_launch.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

template <ProductForm form, class Plan>
__global__ void __launch_bounds__(Plan::kThreads, Plan::kBlocks) scaled_product_kernel(ScaledProductTask task) {
    DeviceThread t;
    scaled_product<form, Plan>(t, task);
}

template <class Plan>
auto kernel_of(ProductForm form) {
    return form == ProductForm::symmetric      ? scaled_product_kernel<ProductForm::symmetric, Plan>
           : form == ProductForm::rows_by_rows ? scaled_product_kernel<ProductForm::rows_by_rows, Plan>
                                               : scaled_product_kernel<ProductForm::rows_by_columns, Plan>;
}

}  // namespace

void scaled_product(const ScaledProductTask& task, ProductForm form, cudaStream_t stream) {
    require_valid(task, form);
    if (task.matrices == 0 || task.rows == 0 || task.columns == 0) return;
    const int warpgroups = product_warpgroups(task);
    launch("scaled_product", warpgroups == 2 ? kernel_of<ProductPlan<2>>(form) : kernel_of<ProductPlan<3>>(form),
           grid_of(task, form, warpgroups), stream, task);
}

void newton_schulz(const NewtonSchulzTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.matrices == 0 || task.rows == 0) return;
    for (const NewtonSchulzProduct& product : products_of(task)) scaled_product(product.task, product.form, stream);
}

}  // namespace strata
